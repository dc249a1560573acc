"""The solvers of the benchmarks: what each minimises, its settings, and how to fit it.

Every solver is told the problem (loss, C, intercept or none) and its setting, and nothing else; the setting {} is what
it does by default. The settings are the products of what a user could turn that leaves the problem as it is. A seed is
passed where there is one, because runs should differ.

A fit returns a `Fitted`.
"""

import importlib.util
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC, LinearSVC

from linear_hinge import MulticlassHingeClassifier

DENSE_LIMIT = 2**30  # bytes up to which sparse data are made dense for those who take no others
FEW_ROWS = 10_000  # more are too many for SVC
WORTH_JOBS = 10**6  # non-zeros times classes; fewer are not worth threads of joblib
# What makes a run shorter as it grows, and what makes it longer.
LOOSER = ("tol", "tolerance", "eps")
LONGER = ("max_iter", "max_epochs", "epochs", "max_iterations")


@dataclass(frozen=True)
class Task:
    """The problem that is stated to every solver, and what its data look like."""

    loss: str
    C: float
    n_samples: int
    n_features: int
    n_classes: int
    n_nonzero: int
    fit_intercept: bool = False

    @property
    def alpha(self):
        return 1 / (self.C * self.n_samples)

    @property
    def kind(self):
        """The loss, for two classes that of all of them."""
        return "binary" if self.n_classes == 2 else self.loss


@dataclass(frozen=True)
class Solver:
    """A solver: its name, a letter for it, the losses that it has, how it is fitted, and its settings."""

    name: str
    letter: str
    losses: tuple
    fit: Callable  # X, y, task, setting, seed
    settings: Callable  # task; a list of dict
    package: str = "sklearn"
    defaults: dict = field(default_factory=dict)  # what {} stands for, of what is turned
    has_free_intercept: bool = False
    takes: Callable = lambda task: True

    def is_installed(self):
        return importlib.util.find_spec(self.package) is not None

    def suits(self, task):
        return (
            task.kind in self.losses
            and (self.has_free_intercept or not task.fit_intercept)
            and self.takes(task)
            and self.is_installed()
        )

    def all_settings(self, task):
        """Its settings: the default, then all others, the cheapest first."""
        return [{}, *sorted((s for s in self.settings(task) if self.defaults | s != self.defaults), key=self._work)]

    def _work(self, setting):
        full = self.defaults | setting
        return [full.get(name) or 0 for name in LONGER] + [-(full.get(name) or 0) for name in LOOSER]

    def at_most_as_long(self, setting, other):
        """Whether a setting does no more work than another, for all one can tell before."""
        mine, its = self.defaults | setting, self.defaults | other
        rest = [{key: full[key] for key in full if key not in LOOSER + LONGER} for full in (mine, its)]
        return rest[0] == rest[1] and all(m <= i for m, i in zip(self._work(setting), self._work(other), strict=True))

    def is_the_same_run(self, setting, n_iter, other):
        """Whether another setting changes nothing for a run whose parts made ``n_iter[0]`` to ``n_iter[1]`` iterations.

        It may differ in a limit that no part reached or, where all of them reached it, in a smaller tolerance.
        """
        mine, its = self.defaults | setting, self.defaults | other
        different = {key for key in mine if mine[key] != its.get(key)}
        if n_iter is None or "max_iter" not in mine:
            return False
        if different == {"max_iter"}:
            return n_iter[1] < min(mine["max_iter"], its["max_iter"])
        return different == {"tol"} and n_iter[0] >= mine["max_iter"] and its["tol"] < mine["tol"]


@dataclass(frozen=True)
class Fitted:
    """Coefficients of shape (n_scores, n_features), intercepts, and what a solver tells of its fit."""

    coef: np.ndarray
    intercept: np.ndarray
    n_iter: tuple | None = None  # the least and the greatest number of iterations of its parts
    bound: float | None = None  # of the objective, from below


def without_intercept(coef, n_iter=None):
    """`Fitted` for those that have none."""
    return Fitted(coef, np.zeros(len(coef)), n_iter)


def extremes(n_iter):
    """The least and the greatest of some numbers of iterations."""
    return int(np.min(n_iter)), int(np.max(n_iter))


def product(**values):
    """All combinations, as settings."""
    return [dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())]


def n_cores():
    """As many as the environment allows."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count())


def jobs_of(task):
    """Numbers of threads that a user would try."""
    return (1, n_cores()) if n_cores() > 1 else (1,)


# This package


def fit_ours(X, y, task, setting, seed):
    setting = dict(setting)
    X = X.astype(setting.pop("dtype", X.dtype), copy=False)
    model = MulticlassHingeClassifier(
        task.loss, alpha=task.alpha, fit_intercept=task.fit_intercept, random_state=seed, **setting
    ).fit(X, y)
    return Fitted(model.coef_, model.intercept_, extremes(model.n_iter_), getattr(model, "dual_objective_", None))


def settings_of_ours(task):
    return product(dtype=("float64", "float32"), tol=(0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4))


def fit_scheduled(X, y, task, setting, seed):
    return fit_ours(X, y, task, SCHEDULED.defaults | setting, seed)


def settings_of_scheduled(task):
    """Those of SGDClassifier for two sizes of a batch; its steps may be ten times as long as those of single rows."""
    return settings_of_schedules((1e-2, 0.1, 1.0), 0, average=(False, True), batch_size=(8, 64))


# scikit-learn


def fit_linear_svc(X, y, task, setting, seed):
    multi_class = {"multi_class": "crammer_singer"} if task.kind == "crammer_singer" else {}
    options = {"loss": "hinge", "C": task.C, "fit_intercept": task.fit_intercept, "random_state": seed}
    model = LinearSVC(**multi_class, **options, **setting).fit(X, y)
    if multi_class:  # n_iter_ is memory that nobody wrote to
        return Fitted(model.coef_, model.intercept_)
    least = model.n_iter_ if task.kind == "binary" else 0  # n_iter_ is that of the slowest class
    return Fitted(model.coef_, model.intercept_, (int(least), int(model.n_iter_)))


def settings_of_linear_svc(task):
    """`dual` cannot be turned: the hinge loss has the dual solver only, which "auto" stands for.

    The solver of Crammer and Singer does not heed max_iter. An intercept is regularised less the larger its scaling.
    """
    tols = {"tol": (3, 1, 0.3, 0.1, 1e-2, 1e-3, 1e-4)}
    scalings = {"intercept_scaling": (1.0, 10.0, 100.0)} if task.fit_intercept else {}
    if task.kind == "crammer_singer":
        return product(**tols, **scalings)
    return product(max_iter=(3, 10, 30, 100, 1000, 10_000, 100_000), **tols, **scalings)


def fit_sgd(X, y, task, setting, seed):
    options = {"alpha": task.alpha, "fit_intercept": task.fit_intercept, "random_state": seed}
    model = SGDClassifier(**options, **setting).fit(X, y)
    return Fitted(model.coef_, model.intercept_)


def settings_of_sgd(task):
    worth_jobs = task.kind != "binary" and task.n_nonzero * task.n_classes > WORTH_JOBS
    common = {"average": (False, True)} | ({"n_jobs": (n_cores(),)} if worth_jobs else {})
    return settings_of_schedules((1e-3, 1e-2, 0.1), None, **common)


def settings_of_schedules(constants, no_tol, **common):
    """Schedules with their step lengths and passes, the last iterate and the average."""
    passes = {"tol": (no_tol,), "max_iter": (1, 5, 20, 100)}
    return [
        *product(learning_rate=("optimal",), **passes, **common),
        *product(learning_rate=("constant",), eta0=constants, **passes, **common),
        *product(learning_rate=("invscaling",), eta0=(0.1, 1.0, 10.0), **passes, **common),
        *product(learning_rate=("adaptive",), eta0=(1e-2, 0.1, 1.0), tol=(1e-3, 1e-4), **common),
    ]


def fit_svc(X, y, task, setting, seed):
    model = SVC(kernel="linear", C=task.C, **setting).fit(X, y)
    coef = model.coef_.toarray() if sp.issparse(model.coef_) else model.coef_
    return Fitted(coef, model.intercept_)


# Others


def fit_snapml(X, y, task, setting, seed):
    from snapml import SupportVectorMachine

    model = SupportVectorMachine(regularizer=1 / task.C, random_state=seed, **setting).fit(X, y)
    coef = np.reshape(model.coef_, (-1, task.n_features))
    return without_intercept(coef, extremes(model.n_iter_))


def fit_skglm(X, y, task, setting, seed):
    from skglm.estimators import LinearSVC as WorkingSetSVC

    model = WorkingSetSVC(C=task.C, fit_intercept=False, **setting).fit(X, y)
    return without_intercept(np.reshape(model.coef_, (1, -1)))


def fit_rehline(X, y, task, setting, seed):
    from rehline import plq_Ridge_Classifier

    model = plq_Ridge_Classifier({"name": "svm"}, C=task.C, fit_intercept=False, coordinate_seed=seed, **setting)
    coef = np.reshape(model.fit(X, y).coef_, (-1, task.n_features))
    return without_intercept(coef, extremes(model.n_iter_))


def settings_of_rehline(task):
    limits = {"max_iter": (10, 100, 1000, 10_000), "tol": (1e-1, 1e-2, 1e-3, 1e-4)}
    jobs = {"n_jobs": jobs_of(task)} if task.kind != "binary" else {}
    return [
        *product(shrink=(1,), coordinate_order=("random", "cyclic"), **limits, **jobs),
        *product(shrink=(0,), coordinate_order=("cyclic",), **limits, **jobs),
    ]


def fit_frank_wolfe(X, y, task, setting, seed):
    from dual_fw_svm import BlockCoordinateFrankWolfeSVM, MulticlassFrankWolfeSVM

    setting = dict(setting)
    one_row_at_a_time = setting.pop("rows", False)
    formulation = {"crammer_singer": "cs", "weston_watkins": "ww"}[task.kind]
    kind = BlockCoordinateFrankWolfeSVM if one_row_at_a_time else MulticlassFrankWolfeSVM
    model = kind(C=task.C, formulation=formulation, random_state=seed, **setting).fit(X, y)
    return without_intercept(model.coef_, None if one_row_at_a_time else extremes(model.n_iter_))


def settings_of_frank_wolfe(task):
    """All rows at once, and a row at a time, with the exact step and the one of the theory."""
    passes = [passes * task.n_samples for passes in (1, 5, 25)]
    return [
        *product(max_iter=(30, 100, 500, 5000, 50_000), tol=(1e-1, 1e-2, 1e-3, 1e-4)),
        *product(rows=(True,), stepsize=("optimal", "oblivious"), max_iter=passes),
    ]


def fit_mlpack(X, y, task, setting, seed):
    from mlpack import linear_svm

    X = X.toarray() if sp.issparse(X) else X
    options = {"lambda_": task.alpha, "num_classes": task.n_classes, "no_intercept": True, "seed": seed + 1}
    model = linear_svm(training=X, labels=y, **options, **setting)["output_model"]
    coef = np.array(model.get_cpp_params()["LinearSVMModel"]["svm"]["parameters"])
    return without_intercept(coef.reshape(task.n_classes, task.n_features))


def settings_of_mlpack(task):
    return [
        *product(max_iterations=(30, 100, 1000, 10_000), tolerance=(1e-3, 1e-5, 1e-10)),
        *product(optimizer=("psgd",), step_size=(1e-4, 1e-3, 1e-2, 1e-1), epochs=(5, 50)),
    ]


def fit_liblinear(X, y, task, setting, seed):
    from liblinear.liblinearutil import train

    number = 4 if task.kind == "crammer_singer" else 3
    options = f"-s {number} -c {task.C!r} -q"
    options += f" -e {setting['eps']!r}" if "eps" in setting else ""
    options += f" -m {setting['threads']}" if "threads" in setting else ""
    model = train(y, sp.csr_matrix(X), options)
    n_scores = 1 if task.n_classes == 2 else task.n_classes
    shape = (model.get_nr_feature(), n_scores)
    columns = np.ctypeslib.as_array(model.w, (shape[0] * n_scores,)).reshape(shape)
    coef = np.zeros((n_scores, task.n_features))
    labels = model.get_labels()  # in the order in which the rows name them
    if n_scores == 1:
        coef[0, : shape[0]] = columns[:, 0] if labels[0] == 1 else -columns[:, 0]
    else:
        coef[labels, : shape[0]] = columns.T
    return without_intercept(coef)


def settings_of_liblinear(task):
    threads = {} if task.kind == "crammer_singer" else {"threads": jobs_of(task)}
    return product(eps=(3, 1, 0.3, 0.1, 1e-2, 1e-3, 1e-4), **threads)


OURS = Solver(
    "linear_hinge",
    "",
    ("binary", "one_vs_rest", "crammer_singer", "weston_watkins"),
    fit_ours,
    settings_of_ours,
    "linear_hinge",
    {"dtype": "float64", "tol": 1e-3},
    has_free_intercept=True,
)
SCHEDULED = Solver(
    "linear_hinge, schedules",
    "†",
    OURS.losses,
    fit_scheduled,
    settings_of_scheduled,
    "linear_hinge",
    {"learning_rate": "optimal", "max_iter": 1000, "tol": 1e-3, "average": False, "batch_size": "auto"},
    has_free_intercept=True,
)
OWN = (OURS, SCHEDULED)
LINEAR_SVC = Solver(
    "LinearSVC",
    "L",
    ("binary", "one_vs_rest", "crammer_singer"),
    fit_linear_svc,
    settings_of_linear_svc,
    defaults={"tol": 1e-4, "max_iter": 1000},
    has_free_intercept=True,
)
PEERS = (
    LINEAR_SVC,
    Solver(
        "liblinear-multicore",
        "M",
        ("binary", "one_vs_rest", "crammer_singer"),
        fit_liblinear,
        settings_of_liblinear,
        "liblinear",
        {"eps": 0.1, "threads": 1},
    ),
    Solver(
        "snapml",
        "S",
        ("binary", "one_vs_rest"),
        fit_snapml,
        lambda task: product(max_iter=(10, 100, 1000, 100_000), tol=(1e-1, 1e-2, 1e-3, 1e-4), n_jobs=jobs_of(task)),
        "snapml",
        {"max_iter": 1000, "tol": 1e-3, "n_jobs": 1},
    ),
    Solver(
        "ReHLine",
        "R",
        ("binary", "one_vs_rest"),
        fit_rehline,
        settings_of_rehline,
        "rehline",
        {"max_iter": 1000, "tol": 1e-4, "shrink": 1, "coordinate_order": "random", "n_jobs": 1},
    ),
    Solver(
        "SGDClassifier",
        "G",
        ("binary", "one_vs_rest"),
        fit_sgd,
        settings_of_sgd,
        defaults={"learning_rate": "optimal", "max_iter": 1000, "tol": 1e-3, "average": False},
        has_free_intercept=True,
    ),
    Solver(
        "skglm",
        "K",
        ("binary",),
        fit_skglm,
        lambda task: product(
            max_iter=(5, 50, 500), tol=(1e-1, 1e-2, 1e-3, 1e-4), p0=(10, 1000), ws_strategy=("subdiff", "fixpoint")
        ),
        "skglm",
        {"max_iter": 50, "tol": 1e-4, "p0": 10, "ws_strategy": "subdiff"},
    ),
    Solver(
        "dual-fw-svm",
        "F",
        ("crammer_singer", "weston_watkins"),
        fit_frank_wolfe,
        settings_of_frank_wolfe,
        "dual_fw_svm",
        {"max_iter": 500, "tol": 1e-4},
    ),
    Solver(
        "mlpack",
        "P",
        ("weston_watkins",),
        fit_mlpack,
        settings_of_mlpack,
        "mlpack",
        {"max_iterations": 10_000, "tolerance": 1e-10},
        takes=lambda task: 8 * task.n_samples * task.n_features <= DENSE_LIMIT,
    ),
    Solver(
        "SVC",
        "V",
        ("binary",),
        fit_svc,
        lambda task: product(tol=(1e-1, 1e-2, 1e-3, 1e-4)),
        defaults={"tol": 1e-3},
        has_free_intercept=True,
        takes=lambda task: task.fit_intercept and task.n_samples <= FEW_ROWS,
    ),
)
SOLVERS = {solver.name: solver for solver in (*OWN, *PEERS)}
