"""Data in a file, larger than what the package takes for memory, are fitted block by block and proven as ever."""

import mmap

import numpy as np
import pytest
import scipy.sparse as sp
from cases import LOSSES, blobs, fingerprint
from numpy.testing import assert_array_equal

from linear_hinge import MulticlassHingeClassifier
from linear_hinge.linalg import batches

ALPHA = 0.01


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(batches, "LARGE_BYTES", 2**12)
    monkeypatch.setattr(batches, "BLOCK_BYTES", 2**10)


def mapped(folder, kind, X):
    """The same rows in a file that is opened to be read."""
    if kind == "npy":
        np.save(folder / "X.npy", X)
        return np.load(folder / "X.npy", mmap_mode="r")
    if kind == "memmap":
        X.tofile(folder / "X.bin")
        return np.memmap(folder / "X.bin", X.dtype, "r", shape=X.shape)
    parts = []
    whole = sp.csr_array(X)
    for name in ("data", "indices", "indptr"):
        np.save(folder / f"{name}.npy", getattr(whole, name))
        parts.append(np.load(folder / f"{name}.npy", mmap_mode="r"))
    return sp.csr_array(tuple(parts), shape=X.shape, copy=False)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["npy", "memmap", "csr"])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_a_file_gives_the_model_of_memory_and_its_proof(tmp_path, small_blocks, loss, kind, is_sorted):
    X, y = blobs(600)
    order = np.argsort(y, kind="stable") if is_sorted else np.arange(len(y))
    X, y = X[order], y[order]
    params = {"loss": loss, "alpha": ALPHA, "random_state": 0}
    from_file = MulticlassHingeClassifier(**params).fit(mapped(tmp_path, kind, X), y)
    in_memory = MulticlassHingeClassifier(**params).fit(sp.csr_array(X) if kind == "csr" else X, y)
    assert_array_equal(from_file.coef_, in_memory.coef_)
    assert from_file.duality_gap_ <= 1e-3


@pytest.mark.parametrize("loss", LOSSES)
def test_blocks_come_to_the_same_optimum(small_blocks, monkeypatch, loss):
    X, y = blobs(600)
    params = {"loss": loss, "alpha": ALPHA, "random_state": 0}
    in_blocks = MulticlassHingeClassifier(**params).fit(X, y)
    monkeypatch.setattr(batches, "LARGE_BYTES", 2**30)
    whole = MulticlassHingeClassifier(**params).fit(X, y)
    assert fingerprint(in_blocks) != fingerprint(whole)
    assert in_blocks.dual_objective_ <= whole.objective_
    assert whole.dual_objective_ <= in_blocks.objective_


class Asked(mmap.mmap):
    """A memory map that remembers which bytes it was advised about."""

    def madvise(self, option, start, length):
        self.bytes = [*getattr(self, "bytes", []), *range(start, start + length)]
        super().madvise(option, start, length)


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="maps take no advice on this system")
def test_blocks_of_a_file_are_asked_for_and_nothing_around_them(tmp_path):
    n_rows, n_features, n_together = 3000, 7, 250
    np.arange(n_rows * n_features, dtype=np.float32).tofile(tmp_path / "X.bin")
    with open(tmp_path / "X.bin", "rb") as file:
        mapping = Asked(file.fileno(), 0, access=mmap.ACCESS_READ)
    X = np.frombuffer(mapping, np.float32).reshape(n_rows, n_features)[250:]
    batches.read_blocks(X, np.array([10, 740, 760, 1001]), n_together)
    row = 4 * n_features
    wanted = [range((250 + block * 250) * row, (500 + block * 250) * row) for block in (0, 2, 3, 4)]
    around = [range(part.start // mmap.PAGESIZE * mmap.PAGESIZE, part.stop) for part in wanted]
    assert sorted(mapping.bytes) == sorted(byte for part in around for byte in part)


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="maps take no advice on this system")
def test_arrays_in_memory_are_not_asked_for(tmp_path):
    X = np.zeros((30, 4))
    assert batches._mapping_of(X[3:]) is None
    np.save(tmp_path / "X.npy", X)
    assert isinstance(batches._mapping_of(np.asarray(np.load(tmp_path / "X.npy", mmap_mode="r"))[3:]), mmap.mmap)
