"""Data beyond one memory: a file of several times a memory limit, and partitions on the workers of a cluster.

    python benchmarks/blocks.py file [--gigabytes 4] [--limit 1]
    python benchmarks/blocks.py cluster [--workers 1 2 4]

`file` writes float32 rows of ten classes to a file and fits it to a gap of 1e-3 in a process whose memory, other than
pages of files, is limited; beside it SGDClassifier.partial_fit over the blocks of the same file, for as many passes.
`cluster` fits rows that fit into memory, on so many workers of this machine, against the local fit and, with two
classes, dask-ml's LogisticRegression where it is installed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

N_FEATURES, N_CLASSES, ALPHA, BLOCK = 1024, 10, 1e-4, 2**13


def rows(rng, n_rows, centres):
    """Overlapping classes."""
    y = rng.integers(len(centres), size=n_rows)
    return centres[y] + rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32), y


def write(folder, n_rows, n_classes=N_CLASSES):
    """X.npy and y.npy, written in blocks."""
    rng = np.random.default_rng(0)
    centres = 0.25 * rng.standard_normal((n_classes, N_FEATURES), dtype=np.float32)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (n_rows, N_FEATURES))
    y = np.empty(n_rows, np.int64)
    for first in range(0, n_rows, BLOCK):
        block = slice(first, min(first + BLOCK, n_rows))
        X[block], y[block] = rows(rng, block.stop - first, centres)
    X.flush()
    np.save(folder / "y.npy", y)


def objective(coef, intercept, X, y):
    """One-vs-rest: alpha/2 ‖W‖² + the mean of the sum of hinges, block by block."""
    total = 0.0
    for first in range(0, len(y), BLOCK):
        scores = X[first : first + BLOCK] @ coef.T + intercept
        signs = np.where(y[first : first + BLOCK, None] == np.arange(coef.shape[0]), 1, -1)
        total += np.maximum(0, 1 - signs * scores).sum(dtype=np.float64)
    return ALPHA / 2 * float((coef.astype(np.float64) ** 2).sum()) + total / len(y)


def status(name):
    """A number of /proc/self/status or io, in bytes."""
    for file in ("status", "io"):
        for line in Path(f"/proc/self/{file}").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * (1024 if file == "status" else 1)
    raise KeyError(name)


def child(kind, folder, limit, n_passes):
    """One contender, in a process of its own: its figures as JSON."""
    from sklearn.linear_model import SGDClassifier

    from linear_hinge import MulticlassHingeClassifier

    X, y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")
    with open(folder / "X.npy", "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    before, started = status("read_bytes"), time.perf_counter()
    if kind == "linear_hinge":
        model = MulticlassHingeClassifier("one_vs_rest", alpha=ALPHA, random_state=0).fit(X, y)
        n_passes, gap = float(model.history_["pass"][-1]), model.duality_gap_
    else:
        model, gap = SGDClassifier(alpha=ALPHA, random_state=0), None
        rng = np.random.default_rng(0)
        for _ in range(int(n_passes)):
            for first in rng.permutation(np.arange(0, len(y), BLOCK)):
                model.partial_fit(X[first : first + BLOCK], y[first : first + BLOCK], classes=np.arange(N_CLASSES))
    seconds, n_bytes = time.perf_counter() - started, status("read_bytes") - before
    figures = {"solver": kind, "seconds": seconds, "passes": n_passes, "gap": gap, "bytes_read": n_bytes}
    figures |= {"peak_resident": status("VmHWM"), "anonymous_at_end": status("RssAnon")}
    print(json.dumps(figures | {"objective": objective(model.coef_, model.intercept_, X, y)}))


def file_benchmark(gigabytes, limit):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, int(gigabytes * 2**30 / (4 * N_FEATURES)))
        n_passes = 1
        for kind in ("linear_hinge", "SGDClassifier.partial_fit"):
            command = [sys.executable, __file__, "child", kind, name, str(limit), str(n_passes)]
            answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
            figures = json.loads(answer.splitlines()[-1])
            n_passes = max(1, round(figures["passes"]))
            size = (folder / "X.npy").stat().st_size
            figures["files_read_per_pass"] = figures["bytes_read"] / size / figures["passes"]
            print(json.dumps(figures))


def cluster_benchmark(n_workers, n_rows, n_classes):
    import dask.array as da
    from distributed import Client, LocalCluster

    from linear_hinge import MulticlassHingeClassifier
    from linear_hinge.dask import DaskMulticlassHingeClassifier
    from linear_hinge.estimator import cluster

    asked = []
    ask = cluster.DaskPartitions.ask

    def counting(self, question, *arguments, places=None):
        n_places = len(self.shares) if places is None else len(places)
        sent = n_places * sum(part.nbytes for part in cluster._arrays(arguments))
        received = 0
        for answer in ask(self, question, *arguments, places=places):
            received += sum(part.nbytes for part in cluster._arrays((answer,)))
            yield answer
        asked.append((question, sent + received))

    cluster.DaskPartitions.ask = counting
    rng = np.random.default_rng(0)
    centres = 0.25 * rng.standard_normal((n_classes, N_FEATURES), dtype=np.float32)
    X, y = rows(rng, n_rows, centres)
    params = {"alpha": ALPHA, "random_state": 0}
    started = time.perf_counter()
    local = MulticlassHingeClassifier(**params).fit(X, y)
    print(f"local: {time.perf_counter() - started:.1f} s, gap {local.duality_gap_:.1e}")
    for n in n_workers:
        options = {"n_workers": n, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
        with LocalCluster(**options) as workers, Client(workers):
            chunks = -(-n_rows // (2 * n))
            dX, dy = da.from_array(X, chunks=(chunks, N_FEATURES)).persist(), da.from_array(y, chunks=chunks).persist()
            asked.clear()
            started = time.perf_counter()
            model = DaskMulticlassHingeClassifier(**params).fit(dX, dy)
            seconds = time.perf_counter() - started
            print(
                f"{n} workers, {2 * n} partitions: {seconds:.1f} s, {model.n_iter_} rounds, {len(asked)} questions,"
                f" {sum(size for _, size in asked) / 2**20:.0f} MiB exchanged, gap {model.duality_gap_:.1e}"
            )
            if n_classes == 2:
                dask_ml(dX, dy)


def dask_ml(X, y):
    """What dask-ml takes, where it is installed; its loss is another."""
    try:
        from dask_ml.linear_model import LogisticRegression
    except ImportError:
        print("dask-ml is not installed")
        return
    started = time.perf_counter()
    LogisticRegression(C=1 / (ALPHA * len(y)), solver="admm").fit(X, y)
    print(f"dask-ml LogisticRegression: {time.perf_counter() - started:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    of_file = kinds.add_parser("file")
    of_file.add_argument("--gigabytes", type=float, default=4)
    of_file.add_argument("--limit", type=float, default=1, help="gigabytes of memory, pages of files apart")
    of_cluster = kinds.add_parser("cluster")
    of_cluster.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    of_cluster.add_argument("--rows", type=int, default=20_000)
    of_cluster.add_argument("--classes", type=int, default=N_CLASSES)
    of_child = kinds.add_parser("child")
    for name in ("contender", "folder", "limit", "passes"):
        of_child.add_argument(name)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.kind == "file":
        file_benchmark(options.gigabytes, int(options.limit * 2**30))
    elif options.kind == "cluster":
        cluster_benchmark(options.workers, options.rows, options.classes)
    else:
        child(options.contender, Path(options.folder), int(options.limit), float(options.passes))


if __name__ == "__main__":
    main()
