"""
Mistakes that cost different amounts
====================================

Digits are read to sum up bills. Reading a digit too high is soon complained about, and costs 1; reading it too low is
money lost, and costs 10. Which model reads the cheapest?

What a mistake costs depends on both digits: a 5 read as 3 costs ten times as much as a 5 read as 8.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linear_hinge import MulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
digits = np.arange(10)
costs = np.where(
    digits < digits[:, None], 10.0, 1.0
)  # of a true digit, the row, read as another, the column
np.fill_diagonal(costs, 0)

# %%
# Four ways to go about it:
#
# - treat all mistakes alike;
# - weigh each class with what its mistakes cost on average: much for a 9, which can only be read too low, and little
#   for a 0;
# - estimate probabilities, and read the digit whose expected cost is the lowest: scikit-learn's temperature scaling
#   (1.8) makes them out of the scores;
# - ask for a distance in proportion to the cost, with ``margin``. Divided by their mean, the distances are 1 on
#   average, and a good ``alpha`` has about the size that it has with one margin.


def classifier(alpha, **params):
    return make_pipeline(
        StandardScaler(),
        MulticlassHingeClassifier(alpha=alpha, random_state=0, **params),
    )


def predict_cheapest(alpha):
    """The digit with the lowest expected cost."""
    model = CalibratedClassifierCV(
        classifier(alpha), method="temperature", cv=3
    )
    return (out_of_fold(model, method="predict_proba") @ costs).argmin(
        axis=1
    )


def out_of_fold(model, **options):
    return cross_val_predict(
        model,
        X,
        y,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        **options,
    )


mean_cost = costs.sum() / 90
ways = {
    "one margin": lambda alpha: out_of_fold(classifier(alpha)),
    "class_weight": lambda alpha: out_of_fold(
        classifier(alpha, class_weight=dict(enumerate(costs.sum(axis=1))))
    ),
    "expected cost": predict_cheapest,
    "margin = costs": lambda alpha: out_of_fold(
        classifier(alpha, margin=costs / mean_cost)
    ),
}
alphas = [1e-3, 1e-2, 1e-1, 1]
readings = {
    way: [predict(alpha) for alpha in alphas]
    for way, predict in ways.items()
}
totals = {
    way: [costs[y, read].sum() for read in reads]
    for way, reads in readings.items()
}
for way, of_alpha in totals.items():
    print(f"{way:15s}" + "".join(f"{total:6.0f}" for total in of_alpha))

# %%
# On the left, what all 1797 digits cost, each read by a model that has not seen it. On the right, the mistakes of each
# way at its best ``alpha``.

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
for (way, of_alpha), style in zip(
    totals.items(), ["o-", "s--", "^-.", "D:"], strict=True
):
    left.plot(alphas, of_alpha, style, label=way)
left.set(
    xscale="log",
    xlabel="alpha",
    ylabel="total cost",
    ylim=(0, None),
    title="Total cost",
)
left.legend(fontsize="small")
for place, (way, reads) in enumerate(readings.items()):
    read = reads[np.argmin(totals[way])]
    low, high = np.count_nonzero(read < y), np.count_nonzero(read > y)
    right.barh(
        place, low, color="C1", label="too low" if place == 0 else None
    )
    right.barh(
        place,
        high,
        left=low,
        color="C0",
        alpha=0.5,
        label="too high" if place == 0 else None,
    )
right.set(
    yticks=range(len(ways)),
    yticklabels=ways,
    xlabel="digits misread",
    title="Mistakes at the best alpha",
)
right.invert_yaxis()
right.legend(fontsize="small")
plt.show()
