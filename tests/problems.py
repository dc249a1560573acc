"""Small problems for the tests of the dual, and what their primal and dual objectives are by the formulas."""

import numpy as np
import scipy.sparse as sp
from references import CASES
from scipy.optimize import minimize

from linear_hinge.losses import LOSSES
from linear_hinge.problem.objective import primal_objective
from linear_hinge.problem.problem import Problem
from linear_hinge.solvers.dual_ascent import DualAscent
from linear_hinge.solvers.proximal_newton import ProximalNewton

# One case for every loss, few enough classes to solve everything by brute force.
SMALL_CASES = [case for case in CASES if case.n_classes == 3 or case.n_scores == 1]


def name_of(case):
    """The parameter ``loss`` of the estimator."""
    return next((name for name, loss in LOSSES.items() if type(loss) is type(case.loss)), "crammer_singer")


def params_of(case):
    """The parameters of the estimator that give this loss."""
    return {"loss": name_of(case)} | ({} if case.loss.costs is None else {"margin": case.loss.costs})


def make_problem(case, X, y, weights=None, *, alpha=0.1, margin=1.0, fit_intercept=True):
    """The problem with these rows; the weights, all one by default, are made to sum to one."""
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    return Problem(X, y, weights / weights.sum(), case.loss, case.n_scores, alpha, margin, fit_intercept)


def draw_problem(case, rng, n_samples=30, n_features=4, *, kind=np.asarray, dtype=np.float64, offset=0.5, **constants):
    """Overlapping classes whose mean is not zero, with random weights; a third of the entries is zero."""
    y = rng.permutation(np.arange(n_samples) % case.n_classes)
    X = offset + rng.normal(size=(case.n_classes, n_features))[y] + rng.normal(size=(n_samples, n_features))
    X *= rng.uniform(size=X.shape) > 1 / 3
    weights = rng.exponential(size=n_samples) + 0.1
    return make_problem(case, kind(X.astype(dtype)), y, weights, **constants)


def dense(problem):
    """The rows as a float64 array."""
    X = problem.X.toarray() if sp.issparse(problem.X) else problem.X
    return X.astype(np.float64)


def dual_objective(case, problem, dual):
    """Δ Σ_i ω_i c(g_i) − alpha/2 ‖W(G)‖² with W(G) = −(1/alpha) Σ_i ω_i g_i x_iᵀ, row by row."""
    linear, coef = 0.0, np.zeros((problem.n_scores, problem.X.shape[1]))
    for x, label, weight, g in zip(dense(problem), problem.y, problem.weights, dual, strict=True):
        if weight > 0:
            linear += weight * case.reference.dual_value(g.tolist(), int(label))
            coef -= weight / problem.alpha * np.outer(g, x)
    return problem.margin * linear - problem.alpha / 2 * (coef**2).sum()


def is_feasible(case, dual, y, atol=1e-13):
    """Whether g_i ∈ D_y, for every row: a box, and for the losses of pairs Σ_k g_k = 0."""
    lowest = np.array([case.vertices(label).min(axis=0) for label in y])
    highest = np.array([case.vertices(label).max(axis=0) for label in y])
    in_box = ((dual >= lowest - atol) & (dual <= highest + atol)).all(axis=1)
    return in_box & (not case.loss.sums_to_zero or np.abs(dual.sum(axis=1)) <= atol * case.n_scores)


def solve_by_slsqp(case, problem):
    """Wᵀ and b of a tiny problem: the quadratic program with a slack for every row, ⟨v, s_i⟩ + Δ c(v) ≤ ξ_i for all
    vertices v of D_y.
    """
    X = dense(problem)
    n_samples, n_features = X.shape
    n_coef, n_scores = n_features * case.n_scores, case.n_scores
    left, right = [], []
    for i, label in enumerate(problem.y):
        for vertex in case.vertices(label):
            slack = np.zeros(n_samples)
            slack[i] = 1
            of_scores = [-np.outer(X[i], vertex).ravel(), -vertex * problem.fit_intercept]
            left.append(np.concatenate([*of_scores, slack]))
            right.append(problem.margin * case.reference.dual_value(vertex.tolist(), int(label)))
    left, right = np.array(left), np.array(right)

    def value(point):
        return problem.alpha / 2 * point[:n_coef] @ point[:n_coef] + problem.weights @ point[n_coef + n_scores :]

    def gradient(point):
        return np.concatenate([problem.alpha * point[:n_coef], np.zeros(n_scores), problem.weights])

    start = np.concatenate([np.zeros(n_coef + n_scores), np.full(n_samples, right.max())])
    above = {"type": "ineq", "fun": lambda point: left @ point - right, "jac": lambda point: left}
    result = minimize(
        value, start, jac=gradient, constraints=[above], method="SLSQP", options={"ftol": 1e-15, "maxiter": 2000}
    )
    coef = result.x[:n_coef].reshape(n_features, n_scores)
    return coef, result.x[n_coef : n_coef + n_scores] * problem.fit_intercept


def optimum_by_slsqp(case, problem):
    """P there: never below the optimum, and of a tiny problem above it by rounding only."""
    return primal_objective(problem, *solve_by_slsqp(case, problem))


def start_ascent(problem, batch_size=8, dual=None, intercept=None, rng=None):
    """A `DualAscent` from these subgradients, zero by default."""
    dual = np.zeros((len(problem.y), problem.n_scores)) if dual is None else dual.copy()
    dual = dual.astype(problem.X.dtype)
    coef = -(dense(problem).T @ (problem.weights[:, None] * dual)) / problem.alpha
    intercept = np.zeros(problem.n_scores) if intercept is None else intercept
    return DualAscent(problem, dual, coef.astype(problem.X.dtype), intercept, batch_size=batch_size, rng=rng)


class Literal:
    """The formulas, on an array of centred rows: nothing is remembered but G, c and β."""

    def __init__(self, problem, ascent, intercept=0.0):
        X = dense(problem)
        self.problem, self.sigma2, self.beta = problem, ascent.state.sigma2, None
        self.mean = problem.weights @ X * problem.fit_intercept
        self.X = X - self.mean
        self.dual = ascent.state.dual.copy()
        self.centre = intercept + self.coef() @ self.mean

    def coef(self):
        return -(self.problem.weights[:, None] * self.dual).T @ self.X / self.problem.alpha

    def imbalance(self):
        return self.problem.weights @ self.dual * self.problem.fit_intercept

    def intercept(self):
        return self.centre - self.sigma2 / self.problem.alpha * self.imbalance()

    def scores(self):
        return self.X @ self.coef().T + self.intercept()

    def augmented_dual(self, case):
        """D(G) of the centred rows with a feature of length σ, pulled towards c."""
        problem, v = self.problem, self.imbalance()
        linear = problem.margin * problem.weights @ case.by_rows("dual_value", self.dual, problem.y)
        quadratic = (self.coef() ** 2).sum() * problem.alpha + self.sigma2 * v @ v / problem.alpha
        return linear - quadratic / 2 + self.centre @ v

    def step(self, batch):
        problem, alpha, margin = self.problem, self.problem.alpha, self.problem.margin
        loss, y, weights, X = problem.loss, problem.y[batch], problem.weights[batch], self.X[batch]
        norms = (X**2).sum(axis=1) + self.sigma2
        scores = self.scores()[batch]
        beta = weights.sum() if self.beta is None else self.beta
        delta = loss.prox(self.dual[batch], scores, y, beta * norms / alpha, margin) - self.dual[batch]
        weighted = weights[:, None] * delta
        U, s = weighted.T @ X, weighted.sum(axis=0)
        rise = (weighted * scores).sum() + margin * weights @ loss.dual_values(delta, y)
        bend = ((U**2).sum() + self.sigma2 * s @ s) / alpha
        if rise <= 0:
            return
        self.dual[batch] += np.clip(rise / bend, 0, 1) * delta
        r = bend / (weights * norms * (delta**2).sum(axis=1) / alpha).sum()
        self.beta = r if self.beta is None or r > self.beta else 0.99 * self.beta + 0.01 * r

    def run_pass(self, batch_size):
        for start in range(0, len(self.dual), batch_size):
            self.step(np.arange(start, min(start + batch_size, len(self.dual))))
        self.centre = self.intercept()


def start_newton(case, rng, *, curvature=1.0, **options):
    """Newton somewhere in the middle: random coefficients and feasible subgradients."""
    problem = draw_problem(case, rng, **options)
    dual = case.draw_feasible(rng, problem.y).astype(problem.X.dtype)
    coef = 0.3 * rng.normal(size=(problem.X.shape[1], case.n_scores)).astype(problem.X.dtype)
    intercept = 0.3 * rng.normal(size=case.n_scores) * problem.fit_intercept
    return ProximalNewton(problem, dual, coef, intercept, curvature)


def slopes(function, at, step):
    """Central differences, one axis for every entry of ``at`` in front of those of the function."""
    differences = []
    for index in np.ndindex(at.shape):
        move = np.zeros(at.shape)
        move[index] = step
        differences.append((function(at + move) - function(at - move)) / (2 * step))
    return np.reshape(differences, at.shape + np.shape(differences[0]))
