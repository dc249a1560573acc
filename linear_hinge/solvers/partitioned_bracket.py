"""Both sides of the duality gap, from sums over partitions."""

from linear_hinge.problem.certificate import bound_of
from linear_hinge.problem.dual_sums import added_up
from linear_hinge.solvers.bracket import Bracket
from linear_hinge.solvers.incumbent import Incumbent
from linear_hinge.solvers.partitions import total


class PartitionedBracket(Bracket):
    """Both sides of the gap, from sums over partitions."""

    def __init__(self, problem, tol, partitions):
        super().__init__(problem, tol)
        self.partitions, self.incumbent = partitions, PartitionedIncumbent(problem, partitions)

    def prove(self, dual):
        """Prove a bound with the subgradients that the partitions have."""
        factors = None
        flows = total(self.partitions.ask("flows"))
        if self.problem.fit_intercept:
            factors = self.problem.loss.balancing_factors(flows)
        sums = added_up(self.partitions.ask("proof", factors))
        bound, _ = bound_of(self.problem, sums, self.objective, len(self.partitions.shares))
        self.dual_objective = max(self.dual_objective, bound)


class PartitionedIncumbent(Incumbent):
    """The best coefficients, by objectives that are summed up over partitions."""

    def __init__(self, problem, partitions):
        super().__init__(problem)
        self.partitions = partitions

    def _scaled_objective(self, coef, intercept, scales):
        objectives = total(self.partitions.ask("objectives", coef, intercept, scales))
        best = objectives.argmin()
        return float(objectives[best]), float(scales[best])

    def _objective(self, coef, intercept):
        return float(total(self.partitions.ask("objective", coef, intercept)))

    def _rounding_matters(self):
        return True
