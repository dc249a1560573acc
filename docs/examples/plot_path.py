"""
Choosing alpha
==============

How strong should the regularisation be? Cross-validation tries a range of ``alpha``, from where the model is next to
nothing to where it fits every detail. :class:`~linear_hinge.MulticlassHingeClassifierCV` makes that range from the data
and goes along it: each model begins where its neighbour ended.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from linear_hinge import (
    MulticlassHingeClassifierCV,
    PathDisplay,
    hinge_path,
)

X, y = load_wine(return_X_y=True, as_frame=True)
X = StandardScaler().set_output(transform="pandas").fit_transform(X)

# %%
# The line is the mean accuracy of five folds, the band one standard deviation of them, and the dotted line marks the
# best mean. On the right the model is close to a constant one. Where scores differ by less than the band, the choice
# between them is up to chance, and the larger alpha is the safer one.

model = MulticlassHingeClassifierCV(alphas=20, random_state=0).fit(X, y)
print(f"alpha={model.alpha_:.2g}, mean accuracy {model.best_score_:.3f}")
gap = model.duality_gaps_.max()
print(f"largest certified gap of {model.scores_.size} fits: {gap:.1e}")
PathDisplay.from_estimator(model)
plt.show()

# %%
# :func:`~linear_hinge.hinge_path` returns the models of a path. Here are coefficients of the first of three wines:
# with less regularisation they grow, until no sample is left whose margin is worth more.

path = hinge_path(X, y, model.alphas_, random_state=0)
features = [0, 6, 9, 12]
display = PathDisplay.from_path(
    path, features=features, feature_names=X.columns
)
display.ax_.set_title("what speaks for wine 0")
plt.show()
