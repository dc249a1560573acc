# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The parts of a fit that take most of its time, compiled: minibatch steps, Newton systems, products and losses.

`sweep` makes the steps that `dual_step.step` specifies, batch after batch, without Python in between. The included files
contain the losses a second time, row by row in float64 (`row_losses.pxi`), the products with single rows of X
(`row_products.pxi`) and those of a batch for one thread (`slices.pxi`), the numbers of a step
(`dual_step.pxi`), computations over all rows (`whole_rows.pxi`), products for pairs of a row and a class (`entries.pxi`),
the Newton systems that are made of them (`newton_system.pxi`, `block_preconditioner.pxi`), the steps of a stream
(`batch_climb.pxi`, `scaled_iterate.pxi`, `stream_step.pxi`) and those of subgradient descent (`subgradient_step.pxi`).
"""

import numpy as np

from libc.math cimport fabs, sqrt

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define HAS_OPENMP 1
    #define MAX_THREADS omp_get_max_threads()
    #define TEAM_SIZE omp_get_num_threads()
    #define WALL_TIME omp_get_wtime()
    #ifdef _MSC_VER
    #define WAIT_FOR_TEAM __pragma(omp barrier)
    #else
    #define WAIT_FOR_TEAM _Pragma("omp barrier")
    #endif
    #else
    #define HAS_OPENMP 0
    #define MAX_THREADS 1
    #define TEAM_SIZE 1
    #define WALL_TIME 0.0
    #define WAIT_FOR_TEAM
    #endif
    static inline void wait_for(int n_threads) { if (n_threads > 1) { WAIT_FOR_TEAM } }
    """
    int HAS_OPENMP, MAX_THREADS, TEAM_SIZE
    double WALL_TIME
    void wait_for(int) noexcept nogil

include "row_loops.pxi"
include "sparse_loops.pxi"
include "row_losses.pxi"
include "row_products.pxi"
include "slices.pxi"
include "dual_step.pxi"
include "entries.pxi"
include "newton_system.pxi"
include "block_preconditioner.pxi"
include "whole_rows.pxi"
include "batch_climb.pxi"
include "scaled_iterate.pxi"
include "stream_step.pxi"
include "subgradient_step.pxi"


def has_openmp():
    """Whether there are threads at all."""
    return bool(HAS_OPENMP)


def max_threads():
    """Return the number of threads that OpenMP would use; 1 without it."""
    return MAX_THREADS


cdef class Batches:
    """The batches of a sweep, and the memory that its threads have in common.

    Parameters
    ----------
    held : AscentState
        The state that the sweep changes.
    X : Rows
        The rows of X.
    rows, places : ndarray of shape (n_rows,)
        Row numbers in the state, and those of the same rows in X.
    width : int
        The width of a row of W, in numbers.
    n_threads : int
        Number of threads.
    mean : RunningMean or None
        The mean of the iterates, if it is asked for.
    """

    cdef Py_ssize_t size, n_rows, n_squares, n_seen
    cdef const int64_t[::1] rows, places, y
    cdef const double[::1] weights, norms, on_mean, centre
    cdef double[::1] row_gaps, squares, mean_intercept, mean_imbalance
    cdef double[:, ::1] sums, numbers
    cdef intptr_t[:, ::1] addresses
    cdef object held, mean
    cdef State state

    def __init__(self, held, Rows X, rows, places, Py_ssize_t width, int n_threads, mean):
        cdef Py_ssize_t K = held.dual.shape[1]
        self.held, self.mean = held, mean
        self.rows, self.places, self.n_rows = rows, places, len(rows)
        self.size = min(<Py_ssize_t>held.batch_size, self.n_rows)
        self.y, self.weights, self.norms = held.y, held.weights, held.norms
        self.on_mean, self.centre, self.row_gaps = held.on_mean, held.centre, held.row_gaps
        self.n_squares = n_squares_of(X, width)
        # The second half is for sums that nobody reads.
        self.sums, self.squares = np.empty((self.size, 3)), np.empty(2 * self.n_squares)
        self.addresses = np.empty((n_threads, ADDRESSES * self.size), np.intp)
        # A line of memory lies between the numbers of two threads, so that they do not write into the same line.
        self.numbers = np.empty((n_threads, 10 * K + LINE_BYTES))
        np.asarray(self.numbers)[:, : 2 * K] = np.concatenate([held.imbalance, held.raw_on_mean])
        self.state.K, self.state.fit_intercept = K, held.fit_intercept
        self.state.alpha, self.state.margin = held.alpha, held.margin
        self.state.mean_norm, self.state.sigma2 = held.mean_norm, held.sigma2
        self.state.beta, self.state.beta_memory = -1 if held.beta is None else held.beta, held.beta_memory
        if mean is not None:
            self.mean_intercept, self.mean_imbalance, self.n_seen = mean.intercept, mean.imbalance, mean.n_steps

    cdef State state_of(self, int thread) noexcept nogil:
        cdef State at = self.state
        cdef double* numbers = &self.numbers[thread, 0]
        at.y, at.weights, at.norms, at.on_mean = &self.y[0], &self.weights[0], &self.norms[0], &self.on_mean[0]
        at.centre, at.row_gaps = &self.centre[0], &self.row_gaps[0]
        at.imbalance, at.raw_on_mean, at.level = numbers, numbers + at.K, numbers + 2 * at.K
        at.slope, at.total, at.total_on_mean = numbers + 3 * at.K, numbers + 4 * at.K, numbers + 5 * at.K
        at.work = numbers + 6 * at.K
        return at

    def finish(self):
        """Write the numbers of the last step into the state."""
        held, K = self.held, self.state.K
        held.imbalance[:], held.raw_on_mean[:] = np.asarray(self.numbers)[0, : 2 * K].reshape(2, K)
        held.beta = self.state.beta if self.state.beta >= 0 else None
        held.t += (self.n_rows + self.size - 1) // self.size
        if self.mean is not None:
            self.mean.n_steps = self.n_seen


cdef void fetch_rows(
    Rows X, const int64_t* places, const int64_t* rows, Py_ssize_t n_rows, const real* dual, Py_ssize_t K
) noexcept nogil:
    """Fetch the memory of the next batch, which may lie anywhere; of a sparse row of X only the beginning."""
    cdef Py_ssize_t i, begin, n
    for i in range(n_rows):
        if X.is_sparse:  # dense rows are fetched block by block
            begin, n = X.begin(places[i]), min(X.n_entries(places[i]), FETCHED_ENTRIES)
            fetch(<const real*>X.data + begin, n * sizeof(real))
            if X.is_wide:
                fetch(<const int64_t*>X.indices + begin, n * sizeof(int64_t))
            else:
                fetch(<const int32_t*>X.indices + begin, n * sizeof(int32_t))
        fetch(&dual[rows[i] * K], K * sizeof(real))


cdef void run_batches(
    Batches batches, Py_ssize_t first, Py_ssize_t last, Rows X, RowLoss loss, int thread, int n_threads, real* W,
    Py_ssize_t width, real* lag, real* dual, real* raw_scores, real* steps, real* weighted
) noexcept nogil:
    """Make one thread's part of every step over the rows from first to last. The threads wait for each other after the
    scores, after the prox steps and after the sums of the rows; each of them computes the numbers of the step itself."""
    cdef State at = batches.state_of(thread)
    cdef Slice mine = slice_of(X, width, sizeof(real), thread, n_threads)
    cdef Py_ssize_t i, k, n, n_next, first_row, last_row, n_seen = batches.n_seen
    cdef const int64_t* rows
    cdef const int64_t* places
    cdef Sums* of_rows = <Sums*>&batches.sums[0, 0]
    cdef intptr_t* addresses = &batches.addresses[thread, 0]
    cdef double* squares = &batches.squares[0]
    cdef double* nobody = squares + batches.n_squares
    cdef double eta, squared, beta
    cdef Sums sums
    while first < last:
        rows, places, n = &batches.rows[first], &batches.places[first], min(batches.size, last - first)
        first_row, last_row = n * thread // n_threads, n * (thread + 1) // n_threads
        first += n
        n_next = min(batches.size, batches.n_rows - first)
        fetch_rows(X, places + n, rows + n, n_next, dual, at.K)
        score_slice(X, places, n, n_next, W, width, mine, raw_scores)
        set_offsets(&at)
        beta = spread_of(&at, rows, n)
        wait_for(n_threads)
        add_up_scores(X, n, width, first_row, last_row, raw_scores)
        if loss.is_binary:
            improve_rows(
                &at, <BinaryHinge>loss, rows, first_row, last_row, beta, dual, raw_scores, width, steps, weighted, of_rows
            )
        else:
            improve_rows(&at, loss, rows, first_row, last_row, beta, dual, raw_scores, width, steps, weighted, of_rows)
        wait_for(n_threads)
        sums = add_up(&at, of_rows, rows, n, steps, width)
        eta = 0
        if sums.rise > 0:
            # The whole step is made at once: η is known afterwards, and is seldom less than one. For sparse rows ‖U‖²
            # follows from ‖V − U/alpha‖² = ‖V‖² − 2 ⟨V, U⟩/alpha + ‖U‖²/alpha².
            add_slice(X, places, n, weighted, width, -1 / at.alpha, mine, addresses, squares, W)
            wait_for(n_threads)
            squared = total_square(X, width, squares)
            if X.is_sparse:
                squared = at.alpha * (at.alpha * squared + 2 * sums.along)
            eta = step_length(&at, sums, squared)
            if eta < 1:
                add_slice(X, places, n, weighted, width, (1 - eta) / at.alpha, mine, addresses, nobody, W)
            for i in range(first_row, last_row):
                take_step(at.K, <real>eta, steps + i * width, dual + rows[i] * at.K)
            follow(&at, eta)
        if lag != NULL:
            add_slice(X, places, n, weighted, width, -eta / at.alpha * n_seen, mine, addresses, nobody, lag)
            n_seen += 1
            if thread == 0:
                for k in range(at.K):
                    batches.mean_intercept[k] += (intercept_of(&at, k) - batches.mean_intercept[k]) / n_seen
                    batches.mean_imbalance[k] += (at.imbalance[k] - batches.mean_imbalance[k]) / n_seen
    if thread == 0:
        batches.state.beta, batches.n_seen = at.beta, n_seen


def sweep(held, RowLoss loss, Rows X, real[:, ::1] W, const int64_t[::1] rows, const int64_t[::1] places,
          int most_threads, double patience, mean=None):
    """Make the minibatch steps of `dual_step.step` over some rows, in their order.

    Parameters
    ----------
    held : AscentState
        The state, changed as `dual_step.step` changes it.
    loss : RowLoss
        The row kernel of the loss.
    X : Rows
        The rows of X.
    W : ndarray of shape (n_features, width)
        The memory of the state.
    rows, places : ndarray of shape (n_rows,)
        Row numbers in the state, and those of the same rows in X.
    most_threads : int
        Number of threads at most.
    patience : float
        The time per multiplication, in seconds, after which threads no longer work together.
    mean : RunningMean, optional
        A mean of iterates, which every step is added to.

    Returns
    -------
    float
        Seconds in which threads waited for each other in vain, because other processes keep the cores busy. One thread
        made the steps after that.
    """
    cdef Py_ssize_t width = W.shape[1], n_entries = X.n_between(0, X.n_rows) // X.n_rows, first = 0, last
    cdef Py_ssize_t n_multiplications = (n_entries + LOSS_COST) * width * min(<Py_ssize_t>held.batch_size, rows.shape[0])
    cdef int n_threads = min(worth_threads(AWAKE * n_multiplications, most_threads), n_slices(X, width, W.itemsize))
    cdef Batches batches = Batches(held, X, rows, places, width, n_threads, mean)
    # The number of rows is filled up to whole groups.
    n_rows, dtype = (batches.size + ROW_GROUP - 1) // ROW_GROUP * ROW_GROUP, np.asarray(W).dtype
    cdef real[:, ::1] raw_scores = np.zeros((n_rows * (1 if X.is_sparse else n_blocks_of(X)), width), dtype)
    cdef real[:, ::1] steps = np.zeros((n_rows, width), dtype), weighted = np.zeros((n_rows, width), dtype)
    cdef real[:, ::1] dual = held.dual, lag = W if mean is None else mean.lag_memory
    cdef real* lag_address = NULL if mean is None else &lag[0, 0]
    cdef double started, seconds, lost = 0
    with nogil:
        while first < rows.shape[0]:
            if n_threads == 1:
                last = rows.shape[0]
                run_batches(
                    batches, first, last, X, loss, 0, 1, &W[0, 0], width, lag_address, &dual[0, 0], &raw_scores[0, 0],
                    &steps[0, 0], &weighted[0, 0],
                )
            else:
                last, started = min(first + STEPS_TOGETHER * batches.size, rows.shape[0]), WALL_TIME
                with parallel(num_threads=n_threads):
                    run_batches(
                        batches, first, last, X, loss, threadid(), TEAM_SIZE, &W[0, 0], width, lag_address,
                        &dual[0, 0], &raw_scores[0, 0], &steps[0, 0], &weighted[0, 0],
                    )
                seconds = WALL_TIME - started
                if seconds > patience * STEPS_TOGETHER * n_multiplications:
                    n_threads, lost = 1, seconds
            first = last
    batches.finish()
    return lost
