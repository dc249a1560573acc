"""
The weights of digits as images
===============================

A linear classifier of images has one weight for every pixel and class, so its coefficients are images too. They show
where ink speaks for a class, and where it speaks against it.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from linear_hinge import MulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
X = X / 16  # a pixel is then between 0 (paper) and 1 (ink)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, random_state=0
)

# %%
# The stronger the regularisation, the smoother the images. This is more of it than the best accuracy asks for.

model = MulticlassHingeClassifier(alpha=0.02, random_state=0).fit(
    X_train, y_train
)
accuracy = model.score(X_test, y_test)
print(f"accuracy on {len(y_test)} test images: {accuracy:.3f}")

# %%
# Bright pixels speak for the digit and dark ones against it; what is grey does not matter. The 0 is dark in its middle:
# ink there speaks for some other digit.

limit = abs(model.coef_).max()
figure, axes = plt.subplots(2, 5, figsize=(6, 3.8))
for ax, label, weights in zip(
    axes.flat, model.classes_, model.coef_, strict=True
):
    image = ax.imshow(weights.reshape(8, 8), vmin=-limit, vmax=limit)
    ax.set(title=f"{label}", xticks=[], yticks=[])
bar = figure.colorbar(
    image, ax=axes, orientation="horizontal", aspect=40, fraction=0.06
)
bar.set_label("weight (score per unit of ink)")
figure.suptitle("What speaks for a digit, and what against it")
plt.show()
