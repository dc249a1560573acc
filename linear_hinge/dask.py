"""The same classifier and the same proof on a Dask cluster: data that no single memory holds."""

try:
    import dask
    import distributed
except ImportError as error:
    raise ImportError("linear_hinge.dask needs Dask: pip install 'linear-hinge[dask]'.") from error

from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
from dask.array import Array
from dask.base import is_dask_collection
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from linear_hinge.estimator.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from linear_hinge.estimator.classifier import MulticlassHingeClassifier
from linear_hinge.estimator.dask_data import by_blocks, loaded, parts_of, share_right
from linear_hinge.estimator.dask_problem import encode_parts, make_recipes, rowless_problem
from linear_hinge.estimator.fitting import fitted_attributes, run
from linear_hinge.estimator.linear_classifier import all_or_nothing
from linear_hinge.estimator.no_loss import NoLoss
from linear_hinge.estimator.starting import closed_form_batch_size, quiet
from linear_hinge.estimator.types import (
    BatchSize,
    ClassWeight,
    LossName,
    Margin,
    MatrixLike,
    RandomState,
    Scores,
    keeping_types,
)
from linear_hinge.solvers.partitioned_fit import PartitionedFit

if TYPE_CHECKING:
    from dask.dataframe import DataFrame, Series  # which need pandas

__all__ = ["DaskMulticlassHingeClassifier"]

SHARED = ("loss", "alpha", "fit_intercept", "margin", "batch_size", "max_iter", "tol", "shuffle", "class_weight")
FITTED = ("classes_", "coef_", "intercept_", "n_iter_", "objective_", "dual_objective_", "duality_gap_", "history_")
NAMES = ("n_features_in_", "feature_names_in_")


class DaskMulticlassHingeClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """`MulticlassHingeClassifier` on the partitions of Dask collections.

    It minimises the same objective with ``learning_rate="auto"`` and proves the solution. Every worker keeps its
    partitions and their dual variables; coefficients and sums travel. If a worker is lost, its dual variables are
    replaced by subgradients at the present coefficients, and the fit goes on.

    Parameters
    ----------
    loss : {"weston_watkins", "crammer_singer", "one_vs_rest"}, default="weston_watkins"
        As in :class:`~linear_hinge.MulticlassHingeClassifier`, like the next ones.
    alpha : float, default=0.0001
        Strength of the L2 regularisation, greater than 0.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not regularised.
    margin : float or array-like of shape (n_classes, n_classes), default=1.0
        Δ, the distance that the hinge asks for, greater than 0.
    batch_size : int or "auto", default="auto"
        Samples in a minibatch.
    max_iter : int, default=1000
        Rounds over all partitions, and Newton steps, at most.
    tol : float, default=0.001
        `fit` stops when ``duality_gap_ <= tol``.
    shuffle : bool, default=True
        Whether the samples of each partition are shuffled before every pass. What lies in a partition should be random
        as well: partitions that are sorted by class take more rounds.
    class_weight : dict or "balanced", default=None
        Weights of the classes, which multiply ``sample_weight``.
    random_state : int, RandomState instance or None, default=None
        Shuffles the samples. With an int the model depends on the data and their partitions only, to the bit, and not
        on the workers.
    verbose : int, default=0
        Whether to print a line for every round, at the client.
    client : distributed.Client, default=None
        By default the one that Dask has as its default when `fit` is called. It is left out when the estimator is
        pickled.
    persist : bool, default=True
        Whether the workers keep the partitions in their memory. Otherwise they are loaded again for every question: a
        few times in each round.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) with two classes
        W.
    intercept_ : ndarray of shape (n_classes,), or (1,) with two classes
        b.
    n_iter_ : int
        Rounds and Newton steps of the last `fit`.
    objective_ : float
        The training objective at ``coef_`` and ``intercept_``.
    dual_objective_ : float
        A proven lower bound of the training objective at any coefficients and intercept.
    duality_gap_ : float
        ``(objective_ - dual_objective_) / objective_``.
    history_ : dict of ndarray of shape (`n_iter_`,)
        The last `fit` after each round or Newton step, as in :class:`~linear_hinge.MulticlassHingeClassifier`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when X has names that are all strings.

    See Also
    --------
    linear_hinge.MulticlassHingeClassifier : In the memory of one machine, and faster where the data fit into it.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from linear_hinge.dask import DaskMulticlassHingeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> order = np.random.RandomState(0).permutation(len(y))
    >>> X, y = da.from_array(X[order], chunks=(50, 4)), da.from_array(y[order], chunks=50)
    >>> with Client(processes=False, dashboard_address="127.0.0.1:0") as client:
    ...     model = DaskMulticlassHingeClassifier(alpha=0.01, random_state=0).fit(X, y)
    >>> model.duality_gap_ <= 1e-3
    True
    """

    classes_: NDArray[Any]
    coef_: Scores
    intercept_: Scores
    n_iter_: int
    objective_: float
    dual_objective_: float
    duality_gap_: float
    history_: dict[str, NDArray[np.float64]]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    _parameter_constraints: ClassVar = {
        **{
            name: MulticlassHingeClassifier._parameter_constraints[name]
            for name in (*SHARED, "random_state", "verbose")
        },
        "client": [distributed.Client, None],
        "persist": ["boolean"],
    }

    def __init__(
        self,
        loss: LossName = "weston_watkins",
        *,
        alpha: float = 1e-4,
        fit_intercept: bool = True,
        margin: Margin = 1.0,
        batch_size: BatchSize = "auto",
        max_iter: int = 1000,
        tol: float = 1e-3,
        shuffle: bool = True,
        class_weight: ClassWeight = None,
        random_state: RandomState = None,
        verbose: int = 0,
        client: distributed.Client | None = None,
        persist: bool = True,
    ) -> None:
        self.loss = loss
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.margin = margin
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose
        self.client = client
        self.persist = persist

    @keeping_types(with_callbacks)
    @keeping_types(_fit_context(prefer_skip_nested_validation=True))
    def fit(
        self,
        X: "Array | DataFrame | list[Any]",
        y: "Array | Series | list[Any]",
        sample_weight: "Array | Series | list[Any] | None" = None,
    ) -> Self:
        """Train until the duality gap is closed.

        Parameters
        ----------
        X : dask array, dask DataFrame, or list of delayed or future parts
            The training samples. The blocks of an array may be ndarrays or CSR; float32 and float64 are kept.
        y : dask array, dask Series, or list of delayed or future parts
            The labels, in as many parts as X.
        sample_weight : dask array, dask Series, or list of delayed or future parts, default=None
            Weights of the samples, not negative.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data do not fit each other or this estimator, or if the computation overflows.
        RuntimeError
            If the cluster has no workers, or if a partition is lost with its worker again and again.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` rounds were not enough.
        UserWarning
            If the model predicts a single class for all samples that it was trained on.
        """
        parts = parts_of(X, y, sample_weight)
        with all_or_nothing(self), loaded(self._client(), parts, self.persist) as data:
            task = FitTask(self, X, y, sample_weight, self.max_iter)
            fitted = self._fit(data, task)
            for name in (*FITTED, *NAMES):
                vars(self).pop(name, None)
            vars(self).update(fitted)
            task.end(fitted)
        return self

    def _fit(self, data, task):
        labels = encode_parts(data.summaries, self.class_weight)
        constants = {name: getattr(self, name) for name in ("loss", "alpha", "margin", "fit_intercept")}
        problem = rowless_problem(data.summaries, labels, **constants)
        used = np.flatnonzero(labels.shares)
        held = data.partitions(used, make_recipes(problem, labels, used, self._partition_options(data)))
        try:
            solver, codes_predicted = self._solver(problem, labels.classes, data, held, used)
            outcome = run(
                solver,
                max_iter=self.max_iter,
                verbose=self.verbose,
                task=task,
                classes=labels.classes,
                codes_predicted=codes_predicted,
            )
            fitted = fitted_attributes(solver, outcome, labels.classes)
        finally:
            held.close()
        return {name: fitted[name] for name in FITTED} | data.names()

    def _partition_options(self, data):
        is_auto, n_features = self.batch_size == "auto", data.summaries[0].n_features
        return {
            "seed": check_random_state(self.random_state).randint(2**31),
            "shuffle": self.shuffle,
            "batch_size": closed_form_batch_size(n_features) if is_auto else int(self.batch_size),
        }

    def _solver(self, problem, classes, data, held, used):
        """Return the solver, and what finds the codes that coefficients predict: None where nothing is to be fitted."""
        if NoLoss.suits(problem, classes):
            return NoLoss(problem, has_proof=True), None
        n_rows = sum(data.summaries[place].n_weighted for place in used)
        with quiet():
            solver = PartitionedFit(problem, held, n_rows=n_rows, tol=self.tol)

        def codes_predicted(coef, intercept):
            return np.unique(np.concatenate(list(held.ask("predicted", coef, intercept))))

        return solver, codes_predicted

    def _client(self):
        return self.client or distributed.default_client()

    def to_local(self) -> MulticlassHingeClassifier:
        """Return a fitted :class:`~linear_hinge.MulticlassHingeClassifier` with the same coefficients.

        Returns
        -------
        model : MulticlassHingeClassifier
        """
        check_is_fitted(self)
        params = {name: getattr(self, name) for name in (*SHARED, "random_state", "verbose")}
        local = clone(MulticlassHingeClassifier(**params))
        vars(local).update({name: value for name, value in vars(self).items() if name in (*FITTED, *NAMES)})
        return local

    @overload
    def decision_function(self, X: "Array | DataFrame") -> Array: ...
    @overload
    def decision_function(self, X: MatrixLike) -> Scores: ...
    def decision_function(self, X: "Array | DataFrame | MatrixLike") -> Array | Scores:
        """Compute the scores of the classes, X Wᵀ + b.

        Parameters
        ----------
        X : dask array, dask DataFrame, or what `MulticlassHingeClassifier` takes
            The samples.

        Returns
        -------
        scores : dask array of shape (n_samples, n_classes), or (n_samples,) with two classes
            Lazy; an ndarray if X is not a Dask collection.
        """
        local = self.to_local()
        n_scores = len(local.intercept_)
        return by_blocks(local.decision_function, X, np.result_type(local.coef_), n_scores if n_scores > 1 else None)

    @overload
    def predict(self, X: "Array | DataFrame") -> Array: ...
    @overload
    def predict(self, X: MatrixLike) -> NDArray[Any]: ...
    def predict(self, X: "Array | DataFrame | MatrixLike") -> Array | NDArray[Any]:
        """Predict the class with the highest score.

        Parameters
        ----------
        X : dask array, dask DataFrame, or what `MulticlassHingeClassifier` takes
            The samples.

        Returns
        -------
        y : dask array of shape (n_samples,)
            Lazy; an ndarray if X is not a Dask collection.
        """
        local = self.to_local()
        return by_blocks(local.predict, X, local.classes_.dtype)

    def score(
        self,
        X: "Array | DataFrame | MatrixLike",
        y: "Array | Series | ArrayLike",
        sample_weight: "Array | Series | ArrayLike | None" = None,
    ) -> float:
        """Compute the share of the samples that are put into the right class.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`, or in this process.

        Returns
        -------
        score : float
        """
        local = self.to_local()
        if not (is_dask_collection(X) or isinstance(X, list)):
            return local.score(X, y, sample_weight)
        of_part, local = dask.delayed(share_right), dask.delayed(local)
        parts = [of_part(local, *part) for part in parts_of(X, y, sample_weight)]
        right, of_all = np.sum(dask.compute(*parts, scheduler=self._client()), axis=0)
        return float(right / of_all)

    def __sklearn_clone__(self):
        others = {name: value for name, value in self.get_params(deep=False).items() if name != "client"}
        return type(self)(**clone(others, safe=False), client=self.client)

    def __getstate__(self):
        return super().__getstate__() | {"client": None}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
