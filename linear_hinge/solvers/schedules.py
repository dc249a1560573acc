"""Learning-rate schedules η_t for the steps t = 1, 2, …, with the names and meanings of `SGDClassifier`."""

# The divisor of "adaptive" on a plateau, and the step length at which it ends; both are those of SGDClassifier.
ADAPTIVE_DIVISOR = 5
ADAPTIVE_SMALLEST = 1e-6


class Constant:
    """η_t = eta0."""

    def __init__(self, eta0):
        self.eta0 = eta0

    def __call__(self, t):
        return self.eta0

    def shorten(self):
        """Shorten the steps because the objective no longer falls; return whether that was possible."""
        return False


class InverseScaling(Constant):
    """η_t = eta0 / t^power_t."""

    def __init__(self, eta0, power_t):
        super().__init__(eta0)
        self.power_t = power_t

    def __call__(self, t):
        return self.eta0 / t**self.power_t


class Adaptive(Constant):
    """η_t = eta0 while the objective falls; a fifth of it after every plateau."""

    def shorten(self):
        self.eta0 /= ADAPTIVE_DIVISOR
        return self.eta0 > ADAPTIVE_SMALLEST


class Optimal:
    """η_t = 1 / (alpha (t + t0)), the rate of Pegasos, with t0 = max(R, 1) alpha^(−3/4).

    With t0 = 0 the first steps would throw the coefficients to R/alpha. Bottou's remedy makes the first step as long as
    the coefficients are expected to become, 1/√√alpha. R, the root mean square of ‖x_i‖, adapts that to the data: it is
    the length of the first subgradient, which `SGDClassifier` takes to be 1.

    References
    ----------
    Shalev-Shwartz, Singer, Srebro and Cotter, Pegasos, Mathematical Programming 2011.
    Bottou, Stochastic gradient descent tricks, 2012.
    """

    def __init__(self, alpha, row_norm):
        self.alpha = alpha
        self.t0 = max(row_norm, 1) * alpha**-0.75

    def __call__(self, t):
        return 1 / (self.alpha * (t + self.t0))

    def shorten(self):
        """Return False: these steps shorten on their own."""
        return False


def make_schedule(name, *, alpha, row_norm, eta0, power_t):
    """Make the schedule of a name from parameters of the estimator and R, the root mean square of ‖x_i‖."""
    return {
        "optimal": Optimal(alpha, row_norm),
        "constant": Constant(eta0),
        "invscaling": InverseScaling(eta0, power_t),
        "adaptive": Adaptive(eta0),
    }[name]
