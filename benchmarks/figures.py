"""The figures of the benchmarks; nothing without matplotlib.

On a transparent ground, with text and lines in a grey that can be read on white and on black.
"""

try:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
except ImportError:
    Figure = None

STYLES = {
    "linear_hinge": ("#2490d0", "o-"),
    "linear_hinge, schedules": ("#80c8f0", "o:"),
    "LinearSVC": ("#d55e00", "s--"),
    "liblinear-multicore": ("#e08040", "d--"),
    "snapml": ("#cc79a7", "X-."),
    "ReHLine": ("#00a878", "P-."),
    "SGDClassifier": ("#808080", "^:"),
    "skglm": ("#e6a000", "<-."),
    "dual-fw-svm": ("#9a6fd0", "v-."),
    "mlpack": ("#b09060", ">-."),
    "SVC": ("#60b060", "D"),
}
SMALLEST = 1e-7  # suboptimality that is drawn
INK = "#808890"
COLORS = {f"{thing}color": INK for thing in ("text.", "axes.edge", "axes.label", "axes.title", "xtick.", "ytick.")}
OPTIONS = {"dpi": 160, "transparent": True}


def new_figure(n_panels, n_columns, width, height):
    """A figure, its axes in use, and a context that is to be kept while drawing."""
    n_columns = min(n_columns, n_panels)
    n_lines = -(-n_panels // n_columns)
    figure = Figure(figsize=(width * n_columns, height * n_lines), layout="constrained")
    axes = figure.subplots(n_lines, n_columns, squeeze=False).ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return figure, axes[:n_panels]


def draw_bars(panels, path):
    """One panel a problem, one bar a solver, the quickest first; ``panels`` has titles and dicts of seconds."""
    if Figure is None or not panels:
        return
    with matplotlib.rc_context(COLORS):
        tallest = max(len(seconds) for _, seconds in panels)
        figure, axes = new_figure(len(panels), 4, 3.0, 0.6 + 0.24 * tallest)
        for ax, (title, seconds) in zip(axes, panels, strict=True):
            names = sorted(seconds, key=seconds.get, reverse=True)
            bars = ax.barh(
                names, [seconds[name] for name in names], color=[STYLES[name][0] for name in names], height=0.7
            )
            ax.bar_label(bars, [f"{seconds[name]:.2g} s" for name in names], padding=3, fontsize=8)
            ax.set_title(title, fontsize=9)
            ax.set_xlim(0, 1.25 * max(seconds.values()))
            ax.set_xticks([])
            ax.tick_params(axis="y", length=0, labelsize=8)
            ax.spines[:].set_visible(False)
        figure.suptitle("Seconds to fit to 0.1 % above the optimum: shorter is better", fontsize=10)
        figure.savefig(path, **OPTIONS)


def draw_curves(rows, path):
    """One panel a problem, one curve a solver: the best suboptimality that a setting reaches in a time."""
    if Figure is None or not rows:
        return
    panels = {}
    for panel, solver, seconds, suboptimality in rows:
        panels.setdefault(panel, {}).setdefault(solver, []).append((seconds, max(suboptimality, SMALLEST)))
    with matplotlib.rc_context(COLORS):
        figure, axes = new_figure(len(panels), 4, 3.4, 2.9)
        handles = {}
        for ax, (title, curves) in zip(axes, panels.items(), strict=True):
            for solver, points in curves.items():
                color, style = STYLES[solver]
                (handles[solver],) = ax.plot(*zip(*front(points), strict=True), style, color=color, markersize=4)
            ax.set(xscale="log", yscale="log")
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
            ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.set_title(title, fontsize=9)
        figure.legend(handles.values(), handles, loc="outside upper center", ncols=min(5, len(handles)), framealpha=0)
        figure.supxlabel("time to fit (seconds)")
        figure.supylabel("relative suboptimality")
        figure.savefig(path, **OPTIONS)


def front(points):
    """The points that no other is quicker and closer than."""
    best = float("inf")
    kept = []
    for seconds, value in sorted(points):
        if value < best:
            best = value
            kept.append((seconds, value))
    return kept
