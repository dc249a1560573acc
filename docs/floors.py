"""Draw the floors of the code: every module, and what it imports. Everything is read from the code.

The floors are those of `FLOORS` in tests/test_architecture.py, which guards them. What a module imports by way of
others is left out. The drawing takes the colours of the page it stands on.
"""

import ast
import random
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = {path.stem: path for pattern in ("*.py", "*.pyx") for path in (ROOT / "linear_hinge").glob(pattern)}

BOX_WIDTH, BOX_HEIGHT = 104, 24
COLUMN, ROW, MARGIN = 112, 54, 58  # from box to box, from row to row, and what the names of the floors take
SLOTS = 8  # for the boxes of a row
WIDTH = MARGIN + SLOTS * COLUMN
TRIALS = 4000  # of other places for the boxes: twice as many give no better drawing
BEHIND_A_BOX = 5  # what a line costs that seems to end at a box, in columns of its length


def write(path):
    """Write the drawing as SVG, unless it stands there already."""
    drawing = svg(rows_of_boxes(), direct_imports())
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != drawing:
        path.write_text(drawing, encoding="utf-8")


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ast.Module([], [])


def imports_of(path):
    """The modules of the package that a file imports."""
    imported = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "linear_hinge":
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.removeprefix("linear_hinge."))
    return imported & set(FILES)


def direct_imports():
    """Module to what it imports, without what these import in their turn."""
    imports = {name: imports_of(path) for name, path in FILES.items()}
    below = {}
    for name in TopologicalSorter(imports).static_order():
        below[name] = imports[name].union(*(below[other] for other in imports[name]))
    return {
        name: {other for other in others if not any(other in below[third] for third in others)}
        for name, others in imports.items()
    }


def floors():
    """Floor to its modules, from tests/test_architecture.py."""
    tree = parse(ROOT / "tests" / "test_architecture.py")
    assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    floor_of = ast.literal_eval(assigned["FLOORS"]) | dict.fromkeys(ast.literal_eval(assigned["COMPILED"]), 0)
    return {floor: sorted(name for name in FILES if floor_of[name] == floor) for floor in set(floor_of.values())}


def rows_of_boxes():
    """Rows from the top down, each a floor and its modules; importers of the same floor stand above."""
    imports, rows = direct_imports(), []
    for floor, names in sorted(floors().items(), reverse=True):
        depth = {}
        for name in TopologicalSorter({name: imports[name] & set(names) for name in names}).static_order():
            depth[name] = 1 + max((depth[other] for other in imports[name] if other in depth), default=-1)
        for level in sorted(set(depth.values()), reverse=True):
            of_level = sorted(name for name in names if depth[name] == level)
            n_rows = -(-len(of_level) // SLOTS)
            rows += [(floor, of_level[start::n_rows]) for start in range(n_rows)]
    return rows


def places(rows, imports):
    """Module to its row and slot, such that lines are short and few of them pass behind a box.

    Two slots of a row change what they hold, again and again, and back if that made the lines worse.
    """
    rng = random.Random(0)
    table = [(names + [None] * SLOTS)[:SLOTS] for _, names in rows]
    lowest = cost(table, imports)
    for _ in range(TRIALS):
        row, one, other = rng.choice(table), rng.randrange(SLOTS), rng.randrange(SLOTS)
        row[one], row[other] = row[other], row[one]
        changed = cost(table, imports)
        if changed > lowest:
            row[one], row[other] = row[other], row[one]
        else:
            lowest = changed
    return placed(table)


def placed(table):
    return {name: (y, x) for y, row in enumerate(table) for x, name in enumerate(row) if name}


def cost(table, imports):
    at, total = placed(table), 0
    for name, (y, x) in at.items():
        for to_y, to_x in (at[other] for other in imports[name]):
            slope = (to_x - x) / (to_y - y)
            total += abs(to_x - x)
            total += BEHIND_A_BOX * sum(
                table[row][round(x + slope * (row - y))] is not None for row in range(y + 1, to_y)
            )
    return total


def svg(rows, imports):
    """The drawing of these rows: lines first, boxes over them."""
    slots = places(rows, imports)
    centres = {name: (MARGIN + COLUMN * (x + 0.5), ROW * (y + 0.5)) for name, (y, x) in slots.items()}
    parts = [line(centres[name], centres[other]) for name in centres for other in sorted(imports[name])]
    parts += [box(name, *centre) for name, centre in centres.items()]
    for number, (floor, _) in enumerate(rows):
        if number == 0 or rows[number - 1][0] != floor:
            parts.append(f'<text class="floor" x="0" y="{ROW * (number + 0.5) + 4}">floor {floor}</text>')
            parts.append(f'<path class="ceiling" d="M0 {ROW * number}H{WIDTH}"/>')
    head = f'<svg class="floors" role="img" aria-label="Modules and imports" viewBox="0 0 {WIDTH} {ROW * len(rows)}">'
    return "\n".join([f'<div class="floors-frame">{head}', *parts, "</svg></div>\n"])


def line(start, end):
    return '<path class="import" d="M{:g} {:g}L{:g} {:g}"/>'.format(*start, *end)


def box(name, x, y):
    """A rounded box whose tooltip is the first line of the module's docstring."""
    about = (ast.get_docstring(parse(FILES[name])) or "Compiled minibatch steps.").splitlines()[0]
    corner = f'x="{x - BOX_WIDTH / 2:g}" y="{y - BOX_HEIGHT / 2:g}"'
    rect = f'<rect {corner} width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"/>'
    return f'<g><title>{escape(about)}</title>{rect}<text x="{x:g}" y="{y + 4:g}">{name}</text></g>'
