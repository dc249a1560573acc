"""`MulticlassHingeClassifierCV`: the alpha with the best score in cross-validation, found along one path a fold."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, _routing_enabled, process_routing

from linear_hinge.estimator.callbacks import Refit
from linear_hinge.estimator.classifier import MulticlassHingeClassifier
from linear_hinge.estimator.fold_scores import score_folds
from linear_hinge.estimator.linear_classifier import LinearClassifier, all_or_nothing
from linear_hinge.estimator.path import ALPHAS, CONSTRAINTS, PARAMETERS, check_alphas, warn_of_open_gaps
from linear_hinge.estimator.targets import check_rows, check_weights
from linear_hinge.estimator.types import (
    BatchSize,
    ClassWeight,
    Folds,
    LossName,
    Margin,
    MatrixLike,
    RandomState,
    Scoring,
    keeping_types,
)
from linear_hinge.kernels.layout import with_whole_rows

# Mean scores that differ by less than this part are equal: of equal ones the strongest regularisation is the best.
TIE = 1e-9


class MulticlassHingeClassifierCV(LinearClassifier):
    """:class:`MulticlassHingeClassifier` with built-in cross-validation of ``alpha``.

    See glossary entry for :term:`cross-validation estimator`.

    In every fold the alphas are gone through from the largest to the smallest: each fit goes on from where its
    neighbour ended, and what does not depend on alpha is computed once. The folds share X; the samples that a fold
    leaves out have a weight of zero there. The fits are those of `hinge_path`, certified like any other.

    Parameters
    ----------
    loss : {"weston_watkins", "crammer_singer", "one_vs_rest"}, default="weston_watkins"
        The hinge loss of more than two classes, as in :class:`MulticlassHingeClassifier`.
    alphas : int or array-like of shape (n_alphas,), default=10
        The strengths of the regularisation to try, greater than 0. An int is the length of a geometric sequence from
        the alpha at which coefficients of zero are proven to be within ``tol`` of the optimum down to 1e-6 of it.
    fit_intercept : bool, default=True
        Whether to fit an intercept. It is not regularised.
    margin : float or array-like of shape (n_classes, n_classes), default=1.0
        Δ, the distance that the hinge asks for, greater than 0, or one for each pair of classes.
    cv : int, cross-validation generator or iterable, default=None
        The folds: their number, a splitter, or pairs of indices for training and testing. None are 5 folds of
        :class:`sklearn.model_selection.StratifiedKFold`.
    scoring : str or callable, default=None
        What the alphas are compared by, one of scikit-learn's names or ``scorer(estimator, X, y)``. None is the
        accuracy. The estimator has a ``decision_function`` and no probabilities.
    refit : bool, default=True
        Whether to fit all data with the best alpha, which is what predicts.
    class_weight : dict or "balanced", default=None
        Weights of the classes, which multiply ``sample_weight``. "balanced" is computed in every fold.
    batch_size : int or "auto", default="auto"
        Samples in a minibatch.
    max_iter : int, default=1000
        Passes over the data, and Newton steps, at most, in every fit.
    tol : float, default=0.001
        The relative duality gap at which each fit stops.
    shuffle : bool, default=True
        Whether the samples are shuffled before every pass.
    n_jobs : int or None, default=None
        Folds that run side by side. None is 1 unless in a ``joblib.parallel_backend`` context, -1 all cores. The
        scores do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Shuffles the samples in every fit. An int gives the same model in every call. It does not choose the folds.
    verbose : int, default=0
        How much joblib prints about the folds; and whether the last fit prints a line for every pass.

    Attributes
    ----------
    alpha_ : float
        The alpha with the best mean score; of equal ones the largest.
    alphas_ : ndarray of shape (n_alphas,)
        What was tried, from the largest to the smallest.
    scores_ : ndarray of shape (n_folds, n_alphas)
        The scores on the samples that a fold left out.
    best_score_ : float
        The mean of the scores of ``alpha_`` over the folds.
    duality_gaps_ : ndarray of shape (n_folds, n_alphas)
        The certified relative gap of every fit.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    coef_ : ndarray of shape (n_classes, n_features), or (1, n_features) with two classes
        W of the fit of all data, like all that follow; with ``refit=False`` there is none of them. It is the model
        of ``MulticlassHingeClassifier(alpha=alpha_)``.
    intercept_ : ndarray of shape (n_classes,), or (1,) with two classes
        b.
    n_iter_ : int
        Passes over the data, and Newton steps.
    t_ : int
        Minibatch steps that were made.
    objective_ : float
        The training objective at ``coef_`` and ``intercept_``.
    dual_objective_ : float
        A proven lower bound of it at any coefficients and intercept.
    duality_gap_ : float
        ``(objective_ - dual_objective_) / objective_``.
    dual_coef_ : sparse array of shape (n_samples, n_classes), or (n_samples, 1) with two classes
        One subgradient of the loss for each sample.
    support_ : ndarray of shape (n_support,)
        Indices of the support vectors, the samples with a non-zero row in ``dual_coef_``.
    history_ : dict of ndarray of shape (`n_iter_`,)
        How it went, as in :class:`MulticlassHingeClassifier`.
    n_features_in_ : int
        Number of features seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, when X has names that are all strings.

    See Also
    --------
    MulticlassHingeClassifier : The same for one alpha.
    hinge_path : The models of all alphas.
    PathDisplay : Draws the scores against alpha.
    sklearn.model_selection.GridSearchCV : Tries any parameters of any estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from linear_hinge import MulticlassHingeClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> X = StandardScaler().fit_transform(X)
    >>> model = MulticlassHingeClassifierCV(random_state=0).fit(X, y)
    >>> model.scores_.shape
    (5, 10)
    >>> bool(model.best_score_ > 0.95)
    True
    >>> bool((model.duality_gaps_ <= 1e-3).all())
    True
    """

    alpha_: float
    alphas_: NDArray[np.float64]
    scores_: NDArray[np.float64]
    best_score_: float
    duality_gaps_: NDArray[np.float64]

    _parameter_constraints: ClassVar = {
        **CONSTRAINTS,
        "alphas": ALPHAS,
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    _doc_link_module = MulticlassHingeClassifier._doc_link_module
    _doc_link_template = MulticlassHingeClassifier._doc_link_template

    def __init__(
        self,
        loss: LossName = "weston_watkins",
        *,
        alphas: int | ArrayLike = 10,
        fit_intercept: bool = True,
        margin: Margin = 1.0,
        cv: Folds = None,
        scoring: Scoring = None,
        refit: bool = True,
        class_weight: ClassWeight = None,
        batch_size: BatchSize = "auto",
        max_iter: int = 1000,
        tol: float = 1e-3,
        shuffle: bool = True,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ) -> None:
        self.loss = loss
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.margin = margin
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.class_weight = class_weight
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @keeping_types(_fit_context(prefer_skip_nested_validation=True))
    def fit(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> Self:
        """Find the best alpha and fit all data with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            The labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative, in training and, unless metadata routing is enabled, in the scores.
        **params : dict
            ``groups`` for the splitter; with metadata routing whatever splitter and scorer request.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data do not fit each other or this estimator, or if the computation overflows. The estimator
            stays as it was.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` passes were not enough in some fits.
        UserWarning
            If the best model predicts a single class for all samples that it was trained on.
        """
        with all_or_nothing(self) as forget:
            forget()
            X, y = check_rows(self, X, y, reset=True)
            weights = check_weights(sample_weight, X)
            X = with_whole_rows(X, np.inf)  # it is visited in many fits
            routed = self._routed(sample_weight, params)
            folds = list(check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split))
            self.alphas_ = check_alphas(self._classifier(), self.alphas, X, y, weights)
            self._score(X, y, weights, folds, routed.scorer.score)
            if self.refit:
                best = self._classifier(alpha=self.alpha_, verbose=self.verbose)
                vars(self).update(best._fitted(X, y, weights, {}, Refit()))
            self.classes_ = np.unique(y)
        return self

    def score(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None, **params: Any) -> float:
        """Compute the score of the predictions by ``scoring``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        **params : dict
            With metadata routing, what the scorer requests.

        Returns
        -------
        score : float
            The accuracy, if ``scoring`` is None.
        """
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if _routing_enabled():
            params = process_routing(self, "score", **params).scorer.score
        return self._scorer()(self, X, y, **params)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what splitter and scorer request.

        Returns
        -------
        routing : MetadataRouter
            The routing, see :ref:`User Guide <metadata_routing>`.
        """
        of_scorer = MethodMapping().add(caller="fit", callee="score").add(caller="score", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=check_cv(self.cv), method_mapping=MethodMapping().add(caller="fit", callee="split"))
            .add(scorer=self._scorer(), method_mapping=of_scorer)
        )

    def _classifier(self, **params):
        """Return the estimator that is fitted."""
        return MulticlassHingeClassifier(**{name: getattr(self, name) for name in PARAMETERS} | params)

    def _scorer(self):
        return get_scorer(self.scoring or "accuracy")

    def _routed(self, sample_weight, params):
        """Return what splitter and scorer are given."""
        if _routing_enabled():
            return process_routing(self, "fit", sample_weight=sample_weight, **params)
        for_splitter = {"groups": params.pop("groups")} if "groups" in params else {}
        if params:
            raise ValueError(
                f"fit got the unknown parameters {sorted(params)}: without metadata routing, only sample_weight and"
                " groups are passed on."
            )
        for_scorer = {} if sample_weight is None else {"sample_weight": sample_weight}
        return Bunch(splitter=Bunch(split=for_splitter), scorer=Bunch(score=for_scorer))

    def _score(self, X, y, weights, folds, score_params):
        """Set the scores of all alphas in all folds, and what is the best of them."""
        states = [self.random_state] * len(folds)
        if isinstance(self.random_state, np.random.RandomState):  # which folds that run side by side cannot share
            states = self.random_state.randint(np.iinfo(np.int32).max, size=len(folds))
        estimators = [self._classifier(random_state=state) for state in states]
        of_fits = score_folds(
            estimators,
            X,
            y,
            weights,
            folds,
            self.alphas_,
            self._scorer(),
            score_params,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        self.scores_, self.duality_gaps_ = of_fits.scores, of_fits.gaps
        warn_of_open_gaps(of_fits.converged, self.max_iter, stacklevel=5)
        means = self.scores_.mean(axis=0)
        best = means >= means.max() - TIE * np.abs(means).max()
        self.alpha_, self.best_score_ = float(self.alphas_[best.argmax()]), float(means[best.argmax()])

    def _check_fitted(self, msg=None):
        super()._check_fitted(msg)
        if not hasattr(self, "coef_"):
            raise AttributeError(
                f"This {type(self).__name__} was fitted with refit=False: it has scores_ and alpha_, but no model."
            )
