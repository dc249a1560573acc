"""
Text: the strongest words of each class
=======================================

Can a linear classifier tell from a paragraph of scikit-learn's documentation which part of the library it is about? The
texts come with scikit-learn: they are the docstrings of what its modules export.
"""

import inspect

import matplotlib.pyplot as plt
import numpy as np
from sklearn import (
    cluster,
    ensemble,
    linear_model,
    metrics,
    model_selection,
    preprocessing,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from linear_hinge import MulticlassHingeClassifier


def paragraphs(module):
    """The paragraphs in the docstrings of what a module exports."""
    for name in module.__all__:
        for paragraph in (
            inspect.getdoc(vars(module).get(name)) or ""
        ).split("\n\n"):
            if len(paragraph) > 80 and ">>>" not in paragraph:
                yield paragraph


modules = [
    cluster,
    ensemble,
    linear_model,
    metrics,
    model_selection,
    preprocessing,
]
texts, labels = [], []
for module in modules:
    of_module = sorted(set(paragraphs(module)))
    texts += of_module
    labels += [module.__name__.removeprefix("sklearn.")] * len(of_module)

# %%
# Paragraphs become sparse rows of word weights, and stay sparse. The rows have length 1, so there is nothing to scale.

train, test, y_train, y_test = train_test_split(
    texts, labels, stratify=labels, random_state=0
)
model = make_pipeline(
    TfidfVectorizer(
        sublinear_tf=True,
        stop_words="english",
        token_pattern=r"[a-z]{3,}",
        min_df=2,
    ),
    MulticlassHingeClassifier(alpha=1e-3, random_state=0),
)
model.fit(train, y_train)
n_words = len(model[0].vocabulary_)
print(f"{len(train)} paragraphs to train on, {n_words} words")
print(f"accuracy on {len(test)} others: {model.score(test, y_test):.2f}")

# %%
# The accuracy flatters: classes of one module describe their common parameters in nearly the same words.
#
# ``coef_`` has a row for every class and a column for every word. Its largest entries are the words that speak loudest
# for a class.

words = model[0].get_feature_names_out()
figure, axes = plt.subplots(3, 2, figsize=(6, 8))
for ax, label, weights in zip(
    axes.flat, model.classes_, model[-1].coef_, strict=True
):
    strongest = np.argsort(weights)[-8:]
    ax.barh(words[strongest], weights[strongest])
    ax.set(title=label)
    ax.tick_params(axis="y", labelsize=10)
for ax in axes[-1]:
    ax.set_xlabel("weight (score per tf-idf)")
figure.suptitle("The eight strongest words of each module")
plt.show()
