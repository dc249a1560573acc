"""
Partitions against one memory
=============================

:class:`~linear_hinge.dask.DaskMulticlassHingeClassifier` proves the same optimum as the fit in one memory. It takes
more passes over the data: the partitions of a round do not see what the others change meanwhile. Partitions that are
sorted by class take the most.
"""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client
from sklearn.datasets import load_digits

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.dask import DaskMulticlassHingeClassifier

X, y = load_digits(return_X_y=True)
X /= 16
orders = {
    "random": np.random.RandomState(0).permutation(len(y)),
    "sorted by class": np.argsort(y, kind="stable"),
}
params = {"alpha": 1e-2, "random_state": 0}

# %%
# The cluster is this process here; partitions are what dask takes for them anywhere.

histories = {
    "one memory": MulticlassHingeClassifier(**params).fit(X, y).history_
}
with Client(
    processes=False,
    n_workers=2,
    threads_per_worker=1,
    dashboard_address="127.0.0.1:0",
):
    for name, order in orders.items():
        blocks = (
            da.from_array(X[order], chunks=(450, X.shape[1])),
            da.from_array(y[order], chunks=450),
        )
        histories[f"4 partitions, {name}"] = (
            DaskMulticlassHingeClassifier(**params).fit(*blocks).history_
        )

# %%
# The gap that is proven after each pass. All rows fit into one memory here, which is why it is the best.

figure, axes = plt.subplots()
for marker, (name, history) in zip("os^", histories.items(), strict=True):
    axes.semilogy(
        history["pass"], history["gap"], marker=marker, label=name
    )
axes.axhline(1e-3, color="gray", linewidth=0.8)
axes.set(xlabel="passes over the data", ylabel="relative duality gap")
axes.legend()
plt.show()
