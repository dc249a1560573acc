"""`MulticlassHingeClassifier`: parameters, validation and attributes, without mathematics."""

from numbers import Integral, Real
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call

from linear_hinge.estimator.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from linear_hinge.estimator.fitting import FIT_ATTRIBUTES, fitted_attributes, model_attributes, run
from linear_hinge.estimator.linear_classifier import LinearClassifier, all_or_nothing
from linear_hinge.estimator.margins import split_margin
from linear_hinge.estimator.starting import make_solver, make_stream, overflow
from linear_hinge.estimator.targets import check_rows, check_weights, encode_for_fit, encode_for_partial_fit
from linear_hinge.estimator.types import (
    BatchSize,
    ClassWeight,
    LearningRate,
    LossName,
    Margin,
    MatrixLike,
    RandomState,
    keeping_types,
)
from linear_hinge.estimator.weighted_classes import WeightedClasses
from linear_hinge.kernels.layout import with_whole_rows
from linear_hinge.losses import LOSSES, get_loss
from linear_hinge.problem.problem import Problem


class MulticlassHingeClassifier(CallbackSupportMixin, LinearClassifier):
    """Linear support vector machine, trained in minibatches, with a proof of its result.

    By default, the minibatch steps climb the dual problem, which also proves how good the result is. The values of
    `learning_rate` other than "auto" are minibatch subgradient descent, without a proof.

    It minimises over the coefficients W and the intercept b

        alpha/2 ‖W‖² + Σ_i ω_i ℓ(W x_i + b, y_i)

    where ω_i are the weights of the samples divided by their sum, and b is not regularised. With two classes, ℓ is
    the binary hinge max(0, Δ − z (w·x + b)), z = ±1, and ``coef_`` has one row: the soft-margin support vector machine.

    Parameters
    ----------
    loss : {"weston_watkins", "crammer_singer", "one_vs_rest"}, default="weston_watkins"
        The hinge loss of more than two classes, with scores s and true class y:

        - "weston_watkins": all violated margins, Σ_{j≠y} max(0, Δ + s_j − s_y).
        - "crammer_singer": the worst violated margin, max(0, max_{j≠y} Δ + s_j − s_y). Where labels are so noisy that
          no class is likelier than all others together, its optimum predicts one class for all samples.
        - "one_vs_rest": a binary hinge for every class against the others, summed.

        With two classes each of them is the binary hinge.
    alpha : float, default=0.0001
        Strength of the L2 regularisation, ``1 / (C * n_samples)`` for the C of `LinearSVC` and `SVC`; greater than 0.
        Where samples or classes are weighted it is ``1 / (C * total)``, with the sum of all products of sample weight
        and class weight.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not regularised.
    margin : float or array-like of shape (n_classes, n_classes), default=1.0
        Δ, the distance that the hinge asks for, greater than 0. An array has one for each pair of classes, in the order
        of the sorted labels: Δ(y, j) between the score of the true class y and that of class j takes the place of Δ.
        The diagonal must be zero, other entries may be; zero asks only that s_j is not above s_y. Not with
        "one_vs_rest" and more than two classes, which compares no pairs. See :doc:`/guide/costs`.
    learning_rate : {"auto", "optimal", "constant", "invscaling", "adaptive"}, default="auto"
        How long the steps are.

        - "auto": nothing to tune. Every minibatch step has a length in closed form, Newton steps finish what
          minibatches alone would take long for, and `fit` stops when the duality gap proves the solution.
        - "optimal": ``eta = 1 / (alpha * (t + t0))`` in step t = 1, 2, …, t0 chosen from ``alpha`` and the norms of
          the rows.
        - "constant": ``eta = eta0``.
        - "invscaling": ``eta = eta0 / t ** power_t``.
        - "adaptive": ``eta = eta0``, divided by 5 whenever the objective has not fallen by ``tol`` for 5 passes.
    eta0 : float, default=0.1
        The step length of "constant", "invscaling" and "adaptive", greater than 0.
    power_t : float, default=0.5
        The exponent of "invscaling".
    average : bool or int, default=False
        Whether ``coef_`` and ``intercept_`` are averages of the iterates instead of the last one; iterate t counts in
        proportion to t. If an int greater than 1, the average begins after this number of samples. `fit` with "auto"
        returns the best iterate instead and ignores this parameter.
    batch_size : int or "auto", default="auto"
        Samples in a minibatch. With ``batch_size >= n_samples`` every pass is one full-batch step. "auto" means 64;
        for `fit` with ``learning_rate="auto"`` and more than 64 samples it means 8 for up to 64 features, 16 for more.
    max_iter : int, default=1000
        Largest number of passes over the data and Newton steps. A long fit that gets nowhere also ends when its work
        comes to that of ``max_iter`` passes. It affects only `fit`. With "auto" and at most 100 of them, it
        evaluates the objective after each, which never rises with ``max_iter`` then; a pass takes about 1.5 times as
        long.
    tol : float, default=0.001
        With "auto", `fit` stops when ``duality_gap_ <= tol``: the objective is then at most ``tol`` times its value
        above the optimum. With other learning rates, it stops when 5 passes (and 100 steps) did not lower the best
        objective by ``tol`` times its value.
    shuffle : bool, default=True
        Whether the samples are shuffled before every pass.
    class_weight : dict or "balanced", default=None
        Weights of the classes, which are multiplied by ``sample_weight``. "balanced" gives all classes the same total
        weight, taking the sample weights into account. In "one_vs_rest", the weight of a sample holds for its hinges
        against all classes.
    warm_start : bool, default=False
        Whether `fit` starts from the coefficients of the last call.
    random_state : int, RandomState instance or None, default=None
        Shuffles the samples. An int gives the same model in every call.
    verbose : int, default=0
        Whether to print a line for every pass.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, including those of classes without weight.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) with two classes
        W. Rows are zero for classes without weight. If only two classes have a weight, the row of the first of them is
        zero as well. `partial_fit` goes on from ``coef_`` and ``intercept_`` even if they have been set or edited.
    intercept_ : ndarray of shape (n_classes,), or (1,) with two classes
        b. After `fit`, a class without weight has an intercept so low that it scores below all other classes at every
        training sample, also with ``fit_intercept=False``.
    n_iter_ : int
        Number of passes over the data and Newton steps of the last `fit`.
    t_ : int
        Number of minibatch steps so far.
    objective_ : float
        The training objective of the last `fit` at ``coef_`` and ``intercept_``.
    dual_objective_ : float
        With "auto": a proven lower bound of the training objective at any coefficients and intercept.
    duality_gap_ : float
        With "auto": ``(objective_ - dual_objective_) / objective_``.
    dual_coef_ : sparse array of shape (n_samples, n_classes), or (n_samples, 1) with two classes
        With "auto": one subgradient g_i of the loss for each sample, whose dual objective is ``dual_objective_``;
        ``coef_`` is close to −(1/alpha) Σ_i ω_i g_i x_iᵀ. It is sparse, because g_i is zero for all samples but the
        support vectors, and lets ``warm_start`` begin where the last fit ended.
    support_ : ndarray of shape (n_support,)
        With "auto": indices of the support vectors, the samples with a non-zero row in ``dual_coef_``.
    history_ : dict of ndarray of shape (`n_iter_`,)
        The state of the last `fit` after each pass or Newton step: "pass" (the work so far, in passes over the data of
        two matrix products each), "seconds" (since the start), "objective", "dual_objective" and "gap" (the last two
        are nan without "auto").
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when X has names that are all strings.

    See Also
    --------
    sklearn.svm.LinearSVC : The same binary, one-vs-rest and Crammer-Singer problems with a regularised intercept.
    sklearn.linear_model.SGDClassifier : Stochastic gradient descent for binary and one-vs-rest problems.
    sklearn.calibration.CalibratedClassifierCV : Probabilities from the scores of a classifier.

    References
    ----------
    .. [1] Crammer and Singer, "On the algorithmic implementation of multiclass kernel-based vector machines",
       JMLR 2, 2001.
    .. [2] Weston and Watkins, "Support vector machines for multi-class pattern recognition", ESANN 1999.
    .. [3] Shalev-Shwartz, Singer, Srebro and Cotter, "Pegasos: primal estimated sub-gradient solver for SVM",
       Mathematical Programming 127, 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from linear_hinge import MulticlassHingeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MulticlassHingeClassifier(random_state=0)).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> model[-1].duality_gap_ <= 1e-3
    True
    """

    _parameter_constraints: ClassVar = {
        "loss": [StrOptions(set(LOSSES))],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "margin": [Interval(Real, 0, None, closed="neither"), "array-like"],
        "learning_rate": [StrOptions({"auto", "optimal", "constant", "invscaling", "adaptive"})],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "average": ["boolean", Interval(Integral, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "shuffle": ["boolean"],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _doc_link_module = "linear_hinge"
    _doc_link_template = "https://linear-hinge.readthedocs.io/en/stable/api/linear_hinge.{estimator_name}.html"

    def __init__(
        self,
        loss: LossName = "weston_watkins",
        *,
        alpha: float = 1e-4,
        fit_intercept: bool = True,
        margin: Margin = 1.0,
        learning_rate: LearningRate = "auto",
        eta0: float = 0.1,
        power_t: float = 0.5,
        average: bool | int = False,
        batch_size: BatchSize = "auto",
        max_iter: int = 1000,
        tol: float = 1e-3,
        shuffle: bool = True,
        class_weight: ClassWeight = None,
        warm_start: bool = False,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.loss = loss
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.margin = margin
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.average = average
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    @keeping_types(with_callbacks)
    @keeping_types(_fit_context(prefer_skip_nested_validation=True))
    def fit(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train until the objective has converged.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The training samples. float32 and float64 in any memory order and CSR are used as they are, everything
            else is converted.
        y : array-like of shape (n_samples,)
            The labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative. Samples of weight zero count as absent, and the problem is that of
            the classes of the others.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data are not valid, or if the computation overflows. The estimator stays as it was.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` passes were not enough.
        UserWarning
            If the model predicts a single class for all samples that it was trained on, or if it is no better than
            coefficients of zero and nothing is by more than `tol`, which is proven. Early, if a long fit gets nowhere.
        """
        with all_or_nothing(self):
            before = dict(vars(self)) if self.warm_start else {}
            X, y = check_rows(self, X, y, reset=True)
            weights = check_weights(sample_weight, X)
            task = FitTask(self, X, y, None if sample_weight is None else weights, self.max_iter)
            fitted = self._fitted(X, y, weights, before, task)
            self._replace_fit(fitted)
            task.end(fitted)
        return self

    @keeping_types(_fit_context(prefer_skip_nested_validation=True))
    def partial_fit(
        self, X: MatrixLike, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Make one pass of steps over a chunk of a stream.

        With ``shuffle=False``, chunks whose length is a multiple of ``batch_size`` give the same model as the
        stream in one piece.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The chunk.
        y : array-like of shape (n_samples,)
            Its labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that the stream can have. Required at the first call, and may be left out afterwards.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the chunk does not fit the ones before it, or if the computation overflows. The estimator stays as
            it was.
        """
        with all_or_nothing(self):
            X, y = check_rows(self, X, y, reset=not hasattr(self, "coef_"))
            if not (hasattr(self, "classes_") and np.array_equal(classes, self.classes_)):  # the check sorts them
                _check_partial_fit_first_call(self, classes)
            if len(self.classes_) < 2:
                raise ValueError("The number of classes has to be greater than one; got 1 class")
            weights = check_weights(sample_weight, X)
            codes, weights = encode_for_partial_fit(y, weights, self.class_weight, self.classes_)
            problem = self._problem(X, codes, weights, WeightedClasses(self.classes_))
            stream, options = make_stream(problem, vars(self), self._parameters())
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                stream.sweep(problem, rng=self._generator(), **options)
                coef, intercept = stream.coefficients()
            if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
                raise overflow(1)
            self._replace_fit(model_attributes(coef, intercept) | {"n_iter_": 1, "t_": stream.t, "_stream_": stream})
        return self

    def _fitted(self, X, y, weights, before, task):
        """Fit validated data, and return the attributes, given those ``before``."""
        problem, classes, mean_weight = self._weighted_problem(with_whole_rows(X), y, weights)
        solver = make_solver(problem, classes, self._parameters(), self._generator(), before)
        outcome = run(solver, max_iter=self.max_iter, verbose=self.verbose, task=task, classes=classes)
        fitted = fitted_attributes(solver, outcome, classes)
        steps = {"_steps_": solver.steps_to_save()} if self.warm_start else {}
        return fitted | steps | {"_trained_on_": (solver.n_rounds * len(problem.rows), mean_weight)}

    def _weighted_problem(self, X, y, weights):
        """Return the problem of the classes that have a weight, these classes, and the mean weight of a sample."""
        labels, weighted, codes, normalised, mean_weight = encode_for_fit(y, weights, self.class_weight)
        classes = WeightedClasses(labels, weighted)
        return self._problem(X, codes, normalised, classes), classes, mean_weight

    def _problem(self, X, codes, weights, classes):
        n_classes = len(classes.weighted)
        margin, costs = split_margin(self.margin, classes)
        loss = get_loss(self.loss, n_classes, costs)
        n_scores = loss.n_scores(n_classes)
        return Problem(X, codes, weights, loss, n_scores, float(self.alpha), margin, self.fit_intercept)

    def _parameters(self):
        """Return the parameters by their names; in a subclass they may be properties."""
        return {name: getattr(self, name) for name in self._parameter_constraints}

    def _generator(self):
        return check_random_state(self.random_state) if self.shuffle else None

    def _replace_fit(self, attributes):
        """Set the attributes of a fit, and drop those of an earlier one that are no longer true."""
        for name in FIT_ATTRIBUTES:
            vars(self).pop(name, None)
        vars(self).update(attributes)
