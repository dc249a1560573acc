"""
Learning from a stream
======================

``partial_fit`` makes one pass of steps over a chunk and forgets it. Nothing but the chunk is in memory, and with
``learning_rate="auto"`` there is nothing to tune either.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import SGDClassifier

from linear_hinge import MulticlassHingeClassifier

N_CLASSES, N_FEATURES, CHUNK = 8, 40, 250


def stream(n_chunks):
    """Chunks of rows, as they might come from files larger than memory."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(N_CLASSES, N_FEATURES))
    scale = np.geomspace(0.2, 5, N_FEATURES)  # features of different units
    for _ in range(n_chunks):
        y = rng.integers(N_CLASSES, size=CHUNK)
        yield (
            scale
            * (centres[y] + 2.5 * rng.normal(size=(CHUNK, N_FEATURES))),
            y,
        )


# %%
# Every chunk is a test before it is a lesson: the models predict its labels, and only then see them. So all errors are
# on rows that no model has trained on. The classes have to be known from the start.

models = {
    'MulticlassHingeClassifier, "auto"': (
        MulticlassHingeClassifier(alpha=1e-2),
        "-",
    ),
    'MulticlassHingeClassifier, "optimal"': (
        MulticlassHingeClassifier(alpha=1e-2, learning_rate="optimal"),
        "--",
    ),
    "SGDClassifier": (SGDClassifier(alpha=1e-2, random_state=0), ":"),
}
errors = {name: [] for name in models}
for X, y in stream(n_chunks=160):
    for name, (model, _) in models.items():
        if errors[name]:
            errors[name].append(np.mean(model.predict(X) != y))
        else:
            errors[name].append(
                1 - 1 / N_CLASSES
            )  # nothing learnt yet: a guess
        model.partial_fit(X, y, classes=np.arange(N_CLASSES))

# %%
# The curves are means over the last ten chunks.

figure, ax = plt.subplots(figsize=(6, 4.8))
for name, (_, style) in models.items():
    mean = np.convolve(errors[name], np.ones(10) / 10, mode="valid")
    ax.plot(
        CHUNK * np.arange(10, len(errors[name]) + 1),
        100 * mean,
        style,
        label=name,
    )
ax.set(
    title="Errors on rows not yet learnt from",
    xlabel="rows seen",
    ylabel="wrong predictions (%)",
    ylim=(0, None),
)
figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center")
plt.show()
