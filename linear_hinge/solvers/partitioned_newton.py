"""Newton steps whose scores and systems are sums over partitions."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from linear_hinge.kernels.newton_system import NumpySystem
from linear_hinge.linalg.sums import combination
from linear_hinge.solvers.newton_system import Hessian, intercept_damping
from linear_hinge.solvers.partitions import tell, total
from linear_hinge.solvers.proximal_newton import Point, ProximalNewton

# The rows with a free entry are gathered for a Newton system if they have at most this number of bytes. Otherwise every
# product with it is a sum over partitions.
MOST_GATHERED = 2**28


class PartitionedNewton(ProximalNewton):
    """`ProximalNewton` whose scores are in partitions: here a scalar stands for them, how far along a direction."""

    def __init__(self, problem, partitions, ascent):
        self.partitions = partitions
        tell(partitions, "begin_newton")
        self._centre = ascent.mean.astype(np.float64)
        nothing = np.zeros((0, problem.n_scores))
        super().__init__(problem, nothing, *ascent.coefficients(), ascent.mean_curvature())

    def _mean(self):
        return self._centre

    def _scores(self, stacked):
        self.work += 0.5
        offset = stacked[-1] - combination(self.mean, stacked[:-1])
        tell(self.partitions, "along", np.vstack([stacked[:-1], offset]))
        return 1.0

    def _point(self, stacked, scores):
        height, gap, moved, slope = total(self.partitions.ask("envelope", scores, self.curvature))
        coef = stacked[:-1]
        phi = 0.5 * self.problem.alpha * float(np.vdot(coef, coef)) + height
        return Point(stacked, scores, slope, phi, gap, moved)

    def _dual_sums(self):
        pull = total(self.partitions.ask("pull", self.point.scores, self.curvature))
        self.point = self.point._replace(scores=0.0)
        return pull[:-1], pull[-1]

    def _dual_along(self, point, change):
        return point.dual

    def _adopt(self):
        tell(self.partitions, "adopt")

    def _hessian(self, imbalance):
        gathered = list(self.partitions.ask("free_rows", MOST_GATHERED))
        if any(part is None for part in gathered) or not any(len(part[1]) for part in gathered):
            return PartitionedHessian(self, imbalance)
        X, y, weights, dual = zip(*gathered, strict=True)
        rows = sp.vstack(X, format="csr") if sp.issparse(X[0]) else np.concatenate(X)
        problem = replace(self.problem, X=rows, y=np.concatenate(y), weights=np.concatenate(weights))
        hessian = Hessian(problem, self.mean, np.concatenate(dual), self.curvature, imbalance, self.factors)
        hessian.share_of_rows = 0.0  # of the partitions' rows: they are not looked at
        return hessian


class PartitionedHessian(Hessian):
    """The Hessian of φ, whose products are sums over partitions."""

    factors = None
    cost_of_blocks = np.inf
    share_of_rows = 1.0

    def __init__(self, newton, imbalance):
        self.system = PartitionedSystem(newton, imbalance)


class PartitionedSystem(NumpySystem):
    """A Newton system whose rows are in partitions."""

    def __init__(self, newton, imbalance):
        problem, curvature = newton.problem, newton.curvature
        self.partitions = newton.partitions
        self.alpha, self.fit_intercept = problem.alpha, problem.fit_intercept
        self.sums_to_zero = problem.loss.sums_to_zero
        self.damping = intercept_damping(problem, curvature, imbalance)
        self.diagonal = total(self.partitions.ask("system", newton.mean, curvature))
        self.diagonal[:-1] += self.alpha
        self.diagonal[-1] += self.damping if problem.fit_intercept else 1

    def apply(self, direction):
        image = total(self.partitions.ask("apply", direction))
        image[:-1] += self.alpha * direction[:-1]
        image[-1] += self.damping * direction[-1]
        return image
