"""Draw the floors of the code: every file, and what it imports or includes. Everything is read from the code.

The floors are the folders, in the order of `FLOORS` in tests/test_architecture.py, which guards them. What a file
imports by way of others is left out. The drawing takes the colours of the page it stands on.
"""

import ast
import random
import re
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "linear_hinge"
COMPILED = (".pyx", ".pxi", ".h")


def is_drawn(path):
    """Whether there is more to a file than a docstring."""
    return path.suffix in COMPILED or len(parse(path).body) > 1


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ast.Module([], [])


def name_of(path):
    """Its path in the package, without the ending if it can be imported."""
    inside = path.relative_to(PACKAGE)
    return (inside if path.suffix in (".pxi", ".h") else inside.with_suffix("")).as_posix()


FILES = {
    name_of(path): path
    for suffix in (".py", *COMPILED)
    for path in sorted(PACKAGE.rglob(f"*{suffix}"))
    if is_drawn(path)
}

BOX_WIDTH, BOX_HEIGHT = 140, 24
COLUMN, ROW, MARGIN = 148, 54, 66  # from box to box, from row to row, and what the names of the floors take
SLOTS = 7  # for the boxes of a row
WIDTH = MARGIN + SLOTS * COLUMN
TRIALS = 4000  # of other places for the boxes: twice as many give no better drawing
BEHIND_A_BOX = 5  # what a line costs that seems to end at a box, in columns of its length


def write(path):
    """Write the drawing as SVG, unless it stands there already."""
    drawing = svg(rows_of_boxes(), direct_imports())
    path.parent.mkdir(exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != drawing:
        path.write_text(drawing, encoding="utf-8")


def imports_of(path):
    """The files that a file imports or includes."""
    if path.suffix in COMPILED:
        text = path.read_text(encoding="utf-8")
        return {f"kernels/{name}" for name in re.findall(r'include "(\w+\.\w+)"', text)} & set(FILES)
    imported = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom):
            folder = node.module.removeprefix("linear_hinge").replace(".", "/").lstrip("/")
            names = {f"{folder}/{alias.name}".lstrip("/") for alias in node.names} & set(FILES)
            imported |= names or {folder, f"{folder}/__init__"}
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
    """Floor to its files, from the top down; the roof is what lies in no folder."""
    tree = parse(ROOT / "tests" / "test_architecture.py")
    assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    folders = ["", *ast.literal_eval(assigned["FLOORS"])]
    return {folder: sorted(name for name in FILES if name.rpartition("/")[0] == folder) for folder in folders}


def rows_of_boxes():
    """Rows from the top down, each a floor and its modules; importers of the same floor stand above."""
    imports, rows = direct_imports(), []
    for floor, names in floors().items():
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
            parts.append(f'<text class="floor" x="0" y="{ROW * (number + 0.5) + 4}">{floor or "the face"}</text>')
            parts.append(f'<path class="ceiling" d="M0 {ROW * number}H{WIDTH}"/>')
    head = f'<svg class="floors" role="img" aria-label="Modules and imports" viewBox="0 0 {WIDTH} {ROW * len(rows)}">'
    return "\n".join([f'<div class="floors-frame">{head}', *parts, "</svg></div>\n"])


def line(start, end):
    return '<path class="import" d="M{:g} {:g}L{:g} {:g}"/>'.format(*start, *end)


def box(name, x, y):
    """A rounded box whose tooltip is the first line of the module's docstring."""
    about = about_of(FILES[name])
    shown = name.removesuffix("/__init__").rpartition("/")[2]
    corner = f'x="{x - BOX_WIDTH / 2:g}" y="{y - BOX_HEIGHT / 2:g}"'
    rect = f'<rect {corner} width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"/>'
    return f'<g><title>{escape(about)}</title>{rect}<text x="{x:g}" y="{y + 4:g}">{shown}</text></g>'


def about_of(path):
    """The first line of a file that says what it is for."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return ast.get_docstring(parse(path)).splitlines()[0]
    return next(line.strip('#/*" ') for line in text.splitlines() if line.strip('#/*" ') and "cython:" not in line)
