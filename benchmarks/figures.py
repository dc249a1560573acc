"""The figures of the benchmarks; nothing without matplotlib."""

try:
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
except ImportError:
    Figure = None

STYLES = {
    "linear_hinge": ("#0072b2", "o-"),
    "linear_hinge, float32": ("#56b4e9", "P-"),
    "LinearSVC": ("#d55e00", "s--"),
    "SGDClassifier": ("#666666", "^:"),
    "SGDClassifier, averaged": ("#999999", "v:"),
    "snapml": ("#cc79a7", "X-."),
    "skglm": ("#e69f00", "<-."),
    "SVC": ("#009e73", "D"),
}
SMALLEST = 1e-7  # suboptimality that is drawn


def draw(rows, out):
    """suboptimality.png and accuracy.png: one panel a problem, one curve a solver."""
    if Figure is None:
        return print("matplotlib is not installed: no figures")
    rows = [row for row in rows if row["seconds"] is not None]
    close = [row | {"suboptimality": max(row["suboptimality"], SMALLEST)} for row in rows if row["suboptimality"]]
    _draw(close, "suboptimality", "relative suboptimality", "log").savefig(out / "suboptimality.png", dpi=110)
    _draw(rows, "accuracy", "test accuracy", "linear").savefig(out / "accuracy.png", dpi=110)


def _draw(rows, key, label, scale):
    panels = {}
    for row in rows:
        panels.setdefault((row["problem"], row["loss"], row["C"]), []).append(row)
    n_columns = min(4, len(panels))
    n_lines = -(-len(panels) // n_columns)
    figure = Figure(figsize=(3.4 * n_columns, 2.9 * n_lines), layout="constrained")
    axes = figure.subplots(n_lines, n_columns, squeeze=False)
    handles = {}
    for ax, (panel, mine) in zip(axes.flat, panels.items(), strict=False):
        for solver, (color, style) in STYLES.items():
            points = sorted((row["seconds"], row[key]) for row in mine if _name(row) == solver)
            if points:
                (handles[solver],) = ax.plot(*zip(*points, strict=True), style, color=color, markersize=4)
        ax.set(xscale="log", yscale=scale)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_title("{}, {}, C = {:g}".format(*panel), fontsize=9)
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=len(handles))
    figure.supxlabel("time to fit (seconds)")
    figure.supylabel(label)
    return figure


def _name(row):
    return row["solver"] + (", averaged" if '"average": true' in row["setting"] else "")
