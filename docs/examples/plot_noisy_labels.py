"""
Noisy labels
============

Ten classes, and more and more of the labels are wrong. The losses do not lose their bearings at the same point, and one
of them does so all at once.

Ten clouds of points overlap a little. A part of the training labels is replaced by labels drawn at random; the test
labels are all true.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np

from linear_hinge import MulticlassHingeClassifier

rng = np.random.RandomState(0)
n_classes, n_train = 10, 2000
truth = rng.randint(n_classes, size=2 * n_train)
centers = 1.5 * rng.normal(size=(n_classes, 10))
X = centers[truth] + rng.normal(size=(len(truth), 10))

# %%
# A model that predicts one class for every sample warns. Here that is what we are looking for.

noise = np.arange(0, 1, 0.1)
accuracies = {
    "weston_watkins": [],
    "crammer_singer": [],
    "one_vs_rest": [],
}
for share in noise:
    is_noise = rng.uniform(size=n_train) < share
    y = np.where(
        is_noise, rng.randint(n_classes, size=n_train), truth[:n_train]
    )
    for loss, results in accuracies.items():
        model = MulticlassHingeClassifier(loss, alpha=1e-2, random_state=0)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The model predicts")
            model.fit(X[:n_train], y)
        results.append(model.score(X[n_train:], truth[n_train:]))

# %%

figure, ax = plt.subplots()
for (loss, results), style in zip(
    accuracies.items(), ["o-", "s--", "^-."], strict=True
):
    ax.plot(noise, results, style, label=loss)
ax.axhline(1 / n_classes, linestyle=":", color="C6", label="chance")
ax.set(
    title="Accuracy on true labels, trained on noisy ones",
    xlabel="share of the training labels drawn at random",
    ylabel="test accuracy",
    ylim=(0, 1),
)
ax.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
plt.show()

# %%
# Take all scores equal, and let one class gain a little at samples that look the same. Let p be the share of them that
# have this label. Crammer-Singer takes the worst comparison of a sample: the gain pays for p of the samples, costs just
# as much for the others, and is worth it only if p is above one half. From about there on, its optimum is the constant
# classifier, and the duality gap proves it. The comparisons of one class with the rest have the same threshold, and
# one-vs-rest loses its classes one by one. Weston-Watkins sums up nine comparisons of a sample: the gain pays ninefold
# for p of the samples and costs the others a single one, which is worth it if p is above one tenth.
