"""How the figures of the gallery look, and in which order its pages stand."""

from cycler import cycler

# Colours that differ for colour-blind eyes (Okabe and Ito). Curves differ in their line styles or markers, too: that is
# up to the examples.
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#767676"]

# Figures have no ground. Letters and axes are of a grey that can be read on a light and on a dark page.
GREY = "#767676"

STYLE = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.labelcolor": GREY,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "figure.figsize": (6, 4),  # what a telephone can still show
    "font.size": 11,
    "image.cmap": "cividis",
    "legend.frameon": False,
    "lines.linewidth": 2,
    "savefig.facecolor": "none",
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}

PAGES = [
    "plot_losses.py",
    "plot_kink.py",
    "plot_max_margin.py",
    "plot_decision_regions.py",
    "plot_noisy_labels.py",
    "plot_costs.py",
    "plot_digits_weights.py",
    "plot_convergence.py",
    "plot_learning_rates.py",
    "plot_linear_svc.py",
    "plot_path.py",
    "plot_text.py",
    "plot_stream.py",
    "plot_partitions.py",
]


class Order:
    """The key by which a folder's examples are sorted."""

    def __init__(self, src_dir):
        pass

    def __call__(self, filename):
        return PAGES.index(filename)

    def __repr__(self):
        return "<Order>"  # what tells whether the configuration has changed


def reset_style(gallery_conf, filename):
    """Every example starts with the same style, whatever the one before did."""
    import matplotlib.pyplot as plt

    plt.rcdefaults()
    plt.rcParams.update(STYLE)
