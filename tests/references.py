"""The losses once more, as loops over plain numbers: slow, obvious, and written from the formulas alone.

A reference looks at one row: ``s`` its scores, ``y`` its class, ``g`` a subgradient, all as lists. The polytope D_y is
given by its vertices, and everything that holds for all of D_y is tested on them or on their convex combinations.
"""

from fractions import Fraction
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from linear_hinge.losses import BinaryHinge, CrammerSinger, HingeLoss, OneVsRest, WestonWatkins


class Reference:
    """What the references have in common: the distance that class y keeps from class j."""

    costs = None

    @classmethod
    def distance(cls, margin, y, j):
        return margin if cls.costs is None else margin * cls.costs[y][j]


class BinaryReference(Reference):
    """max(0, Δ(y, 1 − y) − z s) with z = +1 for class 1 and −1 for class 0."""

    @classmethod
    def value(cls, s, y, margin):
        z = 1 if y == 1 else -1
        return max(0, cls.distance(margin, y, 1 - y) - z * s[0])

    @classmethod
    def subgradient(cls, s, y, margin):
        z = 1 if y == 1 else -1
        return [-z if cls.distance(margin, y, 1 - y) - z * s[0] > 0 else 0]

    @classmethod
    def dual_value(cls, g, y):
        z = 1 if y == 1 else -1
        return -z * g[0] * cls.distance(1, y, 1 - y)

    @staticmethod
    def vertices(y, n_scores):
        z = 1 if y == 1 else -1
        return [[0], [-z]]


class OneVsRestReference(Reference):
    """Σ_k max(0, Δ − z_k s_k) with z_k = +1 at k = y and −1 elsewhere."""

    @staticmethod
    def value(s, y, margin):
        return sum(BinaryReference.value([score], k == y, margin) for k, score in enumerate(s))

    @staticmethod
    def subgradient(s, y, margin):
        return [BinaryReference.subgradient([score], k == y, margin)[0] for k, score in enumerate(s)]

    @staticmethod
    def dual_value(g, y):
        return sum(BinaryReference.dual_value([g_k], k == y) for k, g_k in enumerate(g))

    @staticmethod
    def vertices(y, n_scores):
        return [list(vertex) for vertex in product(*[(0, -1 if k == y else 1) for k in range(n_scores)])]


class PairwiseReference(Reference):
    """A loss of Δ(y, j) + s_j − s_y for j ≠ y."""

    @classmethod
    def margins(cls, s, y, margin):
        return {j: cls.distance(margin, y, j) + s[j] - s[y] for j in range(len(s)) if j != y}

    @classmethod
    def dual_value(cls, g, y):
        return sum(cls.distance(1, y, j) * g[j] for j in range(len(g)) if j != y)


class CrammerSingerReference(PairwiseReference):
    """max(0, max_{j≠y} (Δ(y, j) + s_j − s_y))."""

    @classmethod
    def value(cls, s, y, margin):
        return max(0, *cls.margins(s, y, margin).values())

    @classmethod
    def subgradient(cls, s, y, margin):
        worst, worst_margin = None, 0
        for j, violated in cls.margins(s, y, margin).items():
            if violated > worst_margin:  # so that the first of equal ones stays
                worst, worst_margin = j, violated
        g = [0] * len(s)
        if worst is not None:
            g[worst], g[y] = 1, -1
        return g

    @staticmethod
    def vertices(y, n_scores):
        return [[int(k == j) - int(k == y) for k in range(n_scores)] for j in range(n_scores)]


class WestonWatkinsReference(PairwiseReference):
    """Σ_{j≠y} max(0, Δ(y, j) + s_j − s_y)."""

    @classmethod
    def value(cls, s, y, margin):
        return sum(max(0, violated) for violated in cls.margins(s, y, margin).values())

    @classmethod
    def subgradient(cls, s, y, margin):
        g = [0] * len(s)
        for j, violated in cls.margins(s, y, margin).items():
            if violated > 0:
                g[j] += 1
                g[y] -= 1
        return g

    @staticmethod
    def vertices(y, n_scores):
        others = product(*[(0,) if k == y else (0, 1) for k in range(n_scores)])
        return [[-sum(vertex) if k == y else vertex[k] for k in range(n_scores)] for vertex in others]


def frozen(*arrays):
    """The arrays, made read-only: whoever writes into them raises."""
    for array in arrays:
        array.flags.writeable = False
    return arrays


@cache
def vertices_of(reference, y, n_scores):
    return frozen(np.array(reference.vertices(y, n_scores), dtype=float))[0]


class Case(NamedTuple):
    """A loss, its reference, and a number of classes."""

    loss: HingeLoss
    reference: type
    n_classes: int

    def __str__(self):
        return f"{type(self.loss).__name__}-{self.n_classes}" + ("" if self.loss.costs is None else "-costs")

    @property
    def n_scores(self):
        return self.loss.n_scores(self.n_classes)

    def vertices(self, label):
        """The vertices of D_y, one a row."""
        return vertices_of(self.reference, int(label), self.n_scores)

    def draw(self, rng, n_samples=40):
        """Random scores and classes, every class among them and every third row far inside its margin."""
        y = rng.permutation(np.arange(n_samples) % self.n_classes)
        scores = rng.normal(scale=2, size=(n_samples, self.n_scores))
        inside = 20.0 * np.where(np.arange(self.n_classes) == y[:, None], 1, -1)[:, -self.n_scores :]
        scores[::3] += inside[::3]
        return scores, y

    def draw_feasible(self, rng, y):
        """A random point of D_y for every row: some vertices, some edges, some from the inside."""
        return np.array([self._feasible_point(rng, self.vertices(label)) for label in y])

    def _feasible_point(self, rng, vertices):
        some = vertices[rng.randint(len(vertices), size=rng.randint(1, 5))]
        return rng.dirichlet(np.ones(len(some))) @ some

    def by_rows(self, of_row, rows, y, *args):
        """What the function of the reference gives for every row."""
        function = getattr(self.reference, of_row)
        results = [function(row.tolist(), int(label), *args) for row, label in zip(rows, y, strict=True)]
        return np.array(results, dtype=float)


def with_costs(loss, reference, costs):
    """The case of a loss with these costs, an array."""
    name, exact = f"{reference.__name__}WithCosts", [[Fraction(cost) for cost in row] for row in costs.tolist()]
    return Case(loss(costs), type(name, (reference,), {"costs": exact}), len(costs))


def draw_costs(n_classes, rng):
    """Unequal costs, zeros and large ones among them; the largest is one."""
    costs = rng.choice([0.0, 0.1, 0.4, 1.0], size=(n_classes, n_classes))
    np.fill_diagonal(costs, 0)
    costs[0, -1] = 1
    return frozen(costs)[0]


COSTS = {
    2: np.array([[0, 0.25], [1.5, 0]]),
    3: np.array([[0, 1, 0.1], [0.3, 0, 0.7], [1, 0, 0]]),
    10: draw_costs(10, np.random.RandomState(0)),
}

CASES = [
    Case(BinaryHinge(), BinaryReference, 2),
    *[Case(CrammerSinger(), CrammerSingerReference, n_classes) for n_classes in (2, 3, 10)],
    *[Case(WestonWatkins(), WestonWatkinsReference, n_classes) for n_classes in (2, 3, 10)],
    *[Case(OneVsRest(), OneVsRestReference, n_classes) for n_classes in (3, 10)],
    with_costs(BinaryHinge, BinaryReference, COSTS[2]),
    *[with_costs(CrammerSinger, CrammerSingerReference, COSTS[n_classes]) for n_classes in (3, 10)],
    *[with_costs(WestonWatkins, WestonWatkinsReference, COSTS[n_classes]) for n_classes in (3, 10)],
]


def root_of_falling(function, low, high):
    """The root of a falling function between two bounds, by bisection down to neighbouring floats."""
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return (low + high) / 2


def clip(value, low, high):
    return min(max(value, low), high)


def simplex_projection(a):
    """The point p = max(a − τ, 0) with Σ p = 1."""
    tau = root_of_falling(lambda tau: sum(max(a_k - tau, 0) for a_k in a) - 1, min(a) - 1, max(a))
    return [max(a_k - tau, 0) for a_k in a]


def weston_watkins_projection(a, y):
    """The point g_k = clip(a_k − τ, 0, 1) for k ≠ y and g_y = a_y − τ with Σ g = 0."""

    def total(tau):
        return sum(a_k - tau if k == y else clip(a_k - tau, 0, 1) for k, a_k in enumerate(a))

    tau = root_of_falling(total, min(a) - 1, max(a) + len(a))
    g = [0 if k == y else clip(a_k - tau, 0, 1) for k, a_k in enumerate(a)]
    g[y] = -sum(g)
    return g
