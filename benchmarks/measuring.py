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
BOUND_TOLS = (1e-3, 1e-4, 1e-5, 1e-6)

# Where there is a server that forks, every process begins with the packages imported.
PROCESSES = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
PROCESSES.set_forkserver_preload(["sklearn.svm", "sklearn.linear_model", "linear_hinge.report.comparison"])


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


def run_apart(path, task, solver, setting, *, seed=0, limit, n_threads=None):
    """Fit in a process of its own, on threads of OpenMP as the environment says, or so many.

    Returns
    -------
    result : dict
        "seconds", "MiB", "accuracy", "objective", "bound" and "n_iter"; or "over", the limit in seconds that it ran
        into; or "error", what went wrong.
    """
    answer = _ask(_fit, (path, task, solver, setting, seed, n_threads), limit)
    return {"over": limit} if answer is None else answer


def find_bound(path, task, limit):
    """The best lower bound of the objective that this package proves in a time: ``bound`` and ``gap``, None if none."""
    bounds = []
    _ask(_bounds, (path, task), limit, bounds)
    return max(bounds, key=lambda found: found["bound"], default={"bound": None, "gap": None})


def _ask(target, arguments, limit, collected=None):
    """The last thing that a process sends within a limit after it said "ready"; None if it takes longer."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=target, args=(*arguments, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(PREPARATION):
            return {"error": "not ready in time"}
        answer = receiver.recv()
        deadline = time.monotonic() + limit
        while answer is None or collected is not None:
            if not receiver.poll(max(0, deadline - time.monotonic())):
                return None
            answer = receiver.recv()
            if collected is not None:
                collected.append(answer)
        return answer
    except EOFError:
        return {"error": "the process ended"}
    finally:
        process.kill()
        process.join()


def _fit(path, task, name, setting, seed, n_threads, sender):
    X, X_test, y, y_test = joblib.load(path)
    fit = SOLVERS[name].fit
    few = np.unique(y, return_index=True)[1]
    with warnings.catch_warnings(), threadpool_limits(n_threads):
        warnings.simplefilter("ignore")
        try:
            fit(X[few], y[few], task, setting | {key: 1 for key in LONGER if key in setting}, seed)
            before = forget_peak()
            sender.send(None)
            started = time.perf_counter()
            fitted = fit(X, y, task, setting, seed)
        except Exception as error:  # whatever another package raises is its result
            return sender.send({"error": f"{type(error).__name__}: {error}"})
    seconds = time.perf_counter() - started
    memory = (peak_memory() - before) / 2**20
    scores = X_test @ fitted.coef.T + fitted.intercept
    predicted = scores.argmax(axis=1) if task.n_classes > 2 else (scores[:, 0] > 0).astype(int)
    return sender.send(
        {
            "seconds": seconds,
            "MiB": memory,
            "accuracy": float(np.mean(predicted == y_test)),
            "objective": objective_of(fitted, task, X, y),
            "bound": fitted.bound,
            "n_iter": fitted.n_iter,
        }
    )


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
    sender.send(None)
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
