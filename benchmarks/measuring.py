"""One fit in a process of its own: seconds, objective, accuracy and memory.

What a solver converts is timed with it; that packages are imported, data read and code compiled is not: before it is
timed, a solver is fitted to one row of each class.
"""

import contextlib
import multiprocessing
import os
import platform
import resource
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import scipy
import sklearn
from datasets import load_problem
from linear_svms import LONGER, SOLVERS, Task, n_cores
from threadpoolctl import threadpool_limits

import linear_hinge
from linear_hinge import MulticlassHingeClassifier
from linear_hinge.report.comparison import Dataset, training_objective

PREPARATION = 300  # seconds for what is not timed
SETTLING = 0.2  # seconds in which the system ends what it does for the last process, on one of the cores
BOUND_TOLS = (1e-3, 1e-4, 1e-5)

# Where there is a server that forks, every process begins with these packages imported. This package is not among them:
# in a process that was forked after its import it stays on one thread.
PROCESSES = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
PROCESSES.set_forkserver_preload(["sklearn.svm", "sklearn.linear_model"])


def stored_problem(folder, name, out):
    """Where the arrays of a problem lie, quick to read; they are written at the first call."""
    path = Path(out) / "data" / f"{name}.joblib"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(load_problem(folder, name), path)
    return path


def task_of(path, loss, C, fit_intercept=False):
    X, _, y, _ = joblib.load(path)
    n_nonzero = int(X.nnz if scipy.sparse.issparse(X) else np.count_nonzero(X))
    return Task(loss, C, *X.shape, int(y.max()) + 1, n_nonzero, fit_intercept)


class Worker:
    """A process that fits a solver to a problem, one setting after another; a run that takes too long ends it.

    Parameters
    ----------
    path : path
        Where the problem is stored.
    task : Task
    solver : str
    n_threads : int, default=None
        Threads of OpenMP; as the environment says if None.
    """

    def __init__(self, path, task, solver, n_threads=None):
        self.arguments = (path, task, solver, n_threads)
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def run(self, setting, seed, limit):
        """Fit once.

        Returns
        -------
        result : dict
            "seconds", "MiB", "accuracy", "objective", "bound" and "n_iter"; or "over", the limit in seconds that it
            ran into; or "error", what went wrong.
        """
        if self.process is None:
            self.pipe, other = PROCESSES.Pipe()
            self.process = PROCESSES.Process(target=_work, args=(*self.arguments, other))
            self.process.start()
            other.close()
        try:
            self.pipe.send((setting, seed))
            for patience, outcome in ((PREPARATION, {"error": "not ready in time"}), (limit, {"over": limit})):
                if not self.pipe.poll(patience):
                    self.end()
                    return outcome
                answer = self.pipe.recv()
                if answer is not None:
                    return answer
        except (EOFError, OSError):
            self.end()
            return {"error": "the process ended"}

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.pipe.close()
            self.process = None


def run_apart(path, task, solver, setting, *, seed=0, limit, n_threads=None):
    """`Worker.run` in a process of its own."""
    with Worker(path, task, solver, n_threads) as worker:
        return worker.run(setting, seed, limit)


def _work(path, task, solver, n_threads, pipe):
    data = joblib.load(path)
    with warnings.catch_warnings(), threadpool_limits(n_threads), contextlib.suppress(EOFError):
        warnings.simplefilter("ignore")
        time.sleep(SETTLING)
        while True:
            setting, seed = pipe.recv()
            try:
                pipe.send(_fit(data, task, SOLVERS[solver].fit, setting, seed, lambda: pipe.send(None)))
            except Exception as error:  # whatever another package raises is its result
                pipe.send({"error": f"{type(error).__name__}: {error}"})


def _fit(data, task, fit, setting, seed, say_ready):
    X, X_test, y, y_test = data
    few = np.unique(y, return_index=True)[1]
    fit(X[few], y[few], task, setting | {key: 1 for key in LONGER if key in setting}, seed)
    before = forget_peak()
    say_ready()
    started = time.perf_counter()
    fitted = fit(X, y, task, setting, seed)
    seconds = time.perf_counter() - started
    memory = (peak_memory() - before) / 2**20
    scores = X_test @ fitted.coef.T + fitted.intercept
    predicted = scores.argmax(axis=1) if task.n_classes > 2 else (scores[:, 0] > 0).astype(int)
    return {
        "seconds": seconds,
        "MiB": memory,
        "accuracy": float(np.mean(predicted == y_test)),
        "objective": objective_of(fitted, task, X, y),
        "bound": fitted.bound,
        "n_iter": fitted.n_iter,
    }


def find_bound(path, task, limit):
    """The best lower bound of the objective that this package proves in a time: ``bound`` and ``gap``, None if none."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_bounds, args=(path, task, sender))
    process.start()
    sender.close()
    found = [{"bound": 0.0, "gap": None}]
    deadline = time.monotonic() + limit
    try:
        while receiver.poll(max(0, deadline - time.monotonic())):
            found.append(receiver.recv())
    except EOFError:
        pass
    finally:
        process.kill()
        process.join()
    return max(found, key=lambda one: one["bound"])


def objective_of(fitted, task, X, y):
    """alpha/2 ‖W‖² + the mean loss, computed alike for everybody."""
    model = SimpleNamespace(
        classes_=np.arange(task.n_classes),
        coef_=fitted.coef,
        intercept_=fitted.intercept,
        fit_intercept=task.fit_intercept,
    )
    return float(training_objective(model, Dataset("", X, y, X, y), loss=task.loss, alpha=task.alpha))


def _bounds(path, task, sender):
    X, _, y, _ = joblib.load(path)
    options = {"alpha": task.alpha, "fit_intercept": task.fit_intercept, "random_state": 0, "warm_start": True}
    model = MulticlassHingeClassifier(task.loss, max_iter=100_000, **options)
    warnings.simplefilter("ignore")
    for tol in BOUND_TOLS:
        model.set_params(tol=tol).fit(X, y)
        sender.send({"bound": model.dual_objective_, "gap": model.duality_gap_})


def forget_peak():
    """Memory in use, in bytes; the peak counts from here on, where the system lets it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory():
    """Bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
    except OSError:
        unit = 1 if platform.system() == "Darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def machine():
    """What the figures depend on."""
    versions = {
        "linear_hinge": linear_hinge.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
    }
    return {"processor": _processor(), "threads": n_cores(), "cores": os.cpu_count(), **versions}


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
