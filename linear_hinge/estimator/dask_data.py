"""Dask collections as parts: what a worker makes of one, and what the client has to know of it."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import dask
import dask.array as da
import distributed
import numpy as np
import scipy.sparse as sp
from dask.base import is_dask_collection
from sklearn.utils import check_X_y
from sklearn.utils.validation import _check_sample_weight, _get_feature_names

from linear_hinge.estimator.cluster import DaskPartitions, aligned
from linear_hinge.kernels.layout import checked_sparse, for_kernels, with_whole_rows
from linear_hinge.kernels.products import squared_norms


class PartOfData(NamedTuple):
    """The rows of a partition as they are used."""

    X: np.ndarray | sp.csr_array | sp.csr_matrix
    y: np.ndarray
    weights: np.ndarray
    names: np.ndarray | None


class Summary(NamedTuple):
    """What the client has to know of them."""

    n_rows: int
    n_weighted: int
    n_features: int
    dtype: np.dtype
    labels: np.ndarray
    weights: np.ndarray  # the sum of the sample weights of each label
    longest: float  # max ‖x_i‖²
    names: np.ndarray | None
    is_sparse: bool


def part_of_data(X, y, weights=None):
    """Validate a block of rows, on a worker."""
    names = _get_feature_names(X)
    X, y = check_X_y(checked_sparse(X), y, accept_sparse="csr", dtype=[np.float64, np.float32], ensure_min_samples=0)
    X = aligned(with_whole_rows(for_kernels(X)))
    if weights is not None and len(weights) != len(y):
        raise ValueError(f"sample_weight has {len(weights)} rows, expected {len(y)}")
    if len(y) == 0:
        return PartOfData(X, y, np.zeros(0), names)
    return PartOfData(X, y, _check_sample_weight(weights, X, dtype=np.float64, ensure_non_negative=True), names)


def summarised(data):
    """Return the `Summary` of a `PartOfData`, on a worker."""
    labels, codes = np.unique(data.y, return_inverse=True)
    sums = np.bincount(codes, data.weights, len(labels))
    with np.errstate(over="ignore"):
        longest = float(squared_norms(data.X).max(initial=0))
    is_weighted = np.count_nonzero(data.weights)
    return Summary(
        len(data.y),
        is_weighted,
        data.X.shape[1],
        data.X.dtype,
        labels,
        sums,
        longest,
        data.names,
        sp.issparse(data.X),
    )


@dataclass
class LoadedData:
    """The parts of the data on a cluster."""

    client: distributed.Client
    delayed: list
    futures: list | None

    @cached_property
    def summaries(self):
        """A `Summary` of every part."""
        parts = self.delayed if self.futures is None else self.futures
        summarise = dask.delayed(summarised)
        futures = self.client.compute([summarise(part) for part in parts])
        summaries = []
        try:
            for place, future in enumerate(futures):
                try:
                    summaries.append(future.result())
                except Exception as error:
                    error.add_note(f"This happened in partition {place}.")
                    raise
        finally:
            for future in futures:
                future.release()
        _check_alike(summaries)
        return summaries

    def partitions(self, used, recipes):
        """Make the `DaskPartitions` of these parts."""
        if self.futures is None:
            data = [partial(self._load, self.delayed[place]) for place in used]
            homes = [None] * len(used)
        else:
            data = [partial(_same, self.futures[place]) for place in used]
            where = self.client.who_has([self.futures[place] for place in used])
            homes = [min(where.get(self.futures[place].key, ()), default=None) for place in used]
        return DaskPartitions(self.client, data, recipes, [recipe.share for recipe in recipes], homes)

    def _load(self, part, home):
        return self.client.compute(part, workers=[home], allow_other_workers=True)

    def names(self):
        """Return what the estimator knows of the features."""
        first = self.summaries[0]
        named = {} if first.names is None else {"feature_names_in_": first.names}
        return {"n_features_in_": first.n_features} | named


@contextmanager
def loaded(client, parts, persist):
    """Give the `LoadedData` to the code inside, after which nothing of it stays on the cluster."""
    if not client.nthreads():
        client.wait_for_workers(1, timeout=60)
    load = dask.delayed(part_of_data)
    delayed = [load(*part) for part in parts]
    futures = client.compute(delayed) if persist else None
    try:
        yield LoadedData(client, delayed, futures)
    finally:
        for future in futures or ():
            future.release()


def parts_of(X, y, sample_weight):
    """Return tuples of the parts of X, of y and, if there are any, of the weights."""
    if isinstance(X, da.Array):
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got {X.ndim}D array instead")
        X = X.rechunk({1: -1})
        y, sample_weight = (_in_chunks_of(X, other) for other in (y, sample_weight))
    columns = [_delayed(part) for part in (X, y, sample_weight) if part is not None]
    counts = [len(column) for column in columns]
    if len(set(counts)) != 1:
        raise ValueError(f"X, y and sample_weight need the same number of parts, got {counts}")
    return list(zip(*columns, strict=True))


def _in_chunks_of(X, other):
    """Return a column whose chunks are those of X, where both are known."""
    if other is None:
        return None
    if not is_dask_collection(other) and not isinstance(other, list):
        other = da.from_array(np.asarray(other))
    if isinstance(other, da.Array) and not (np.isnan(X.shape[0]) or np.isnan(other.shape[0])):
        if other.shape[0] != X.shape[0]:
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {[X.shape[0], other.shape[0]]}"
            )
        other = other.rechunk({0: X.chunks[0]})
    return other


def _delayed(collection):
    """Return the parts of a collection."""
    if isinstance(collection, (list, tuple)):
        return list(collection)
    if not hasattr(collection, "to_delayed"):
        raise TypeError(
            "X, y and sample_weight must be Dask collections or lists of delayed or future parts, got"
            f" {type(collection).__name__}; MulticlassHingeClassifier takes what is in memory"
        )
    return list(np.ravel(np.array(collection.to_delayed(), dtype=object)))


def _same(future, home):
    return future


def _check_alike(summaries):
    widths = sorted({part.n_features for part in summaries})
    if len(widths) > 1:
        raise ValueError(f"All parts of X need the same number of features, got {widths}")
    if not any(part.n_rows for part in summaries):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    if len({part.is_sparse for part in summaries}) > 1:
        raise ValueError("The parts of X must be all dense or all sparse")


def by_blocks(method, X, dtype, n_columns=None):
    """Return what a method returns for every block of rows, lazily."""
    if not is_dask_collection(X):
        return method(X)
    if isinstance(X, da.Array):
        X = X.rechunk({1: -1})
        sizes = X.chunks[0]
    else:
        sizes = (np.nan,) * X.npartitions
    method = dask.delayed(method)
    blocks = [dask.delayed(_of_block)(method, part, n_columns, dtype) for part in _delayed(X)]
    tail = () if n_columns is None else (n_columns,)
    arrays = [da.from_delayed(block, (size, *tail), dtype) for block, size in zip(blocks, sizes, strict=True)]
    return da.concatenate(arrays, allow_unknown_chunksizes=True)


def _of_block(method, X, n_columns, dtype):
    """Call a method on a block, on a worker; the block may be empty, which validation would refuse."""
    if X.shape[0] == 0:
        return np.empty((0,) if n_columns is None else (0, n_columns), dtype)
    return method(X)


def share_right(local, X, y, sample_weight=None):
    """Return the weight of what is right, and of all."""
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    if len(y) == 0:
        return 0.0, 0.0
    return float(weights[local.predict(X) == np.asarray(y)].sum()), float(weights.sum())
