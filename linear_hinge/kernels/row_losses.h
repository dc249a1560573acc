/* Loops over numbers in float64: over the classes of one row, for the losses of row_losses.pxi, and over the vectors of
 * conjugate gradients. */

#ifndef LINEAR_HINGE_ROW_LOSSES
#define LINEAR_HINGE_ROW_LOSSES
#include "vectors.h"

/* fmax and fmin are calls where the compiler must mind NaN. */
INLINE double larger(double a, double b) { return LARGER(a, b); }
INLINE double smaller(double a, double b) { return SMALLER(a, b); }

/* max_k a_k, or −inf if there is none. */
MULTIVERSION
static double greatest_of(ptrdiff_t K, const double *a)
{
    double greatest = -INFINITY;
    SIMD(reduction(max : greatest))
    for (ptrdiff_t k = 0; k < K; k++) greatest = LARGER(a[k], greatest);
    return greatest;
}

/* Σ_k a_k */
MULTIVERSION
static double sum_of(ptrdiff_t K, const double *a)
{
    double total = 0;
    SIMD(reduction(+ : total))
    for (ptrdiff_t k = 0; k < K; k++) total += a[k];
    return total;
}

/* Σ_k a_k b_k */
MULTIVERSION
static double inner_of(ptrdiff_t K, const double *a, const double *b)
{
    double total = 0;
    SIMD(reduction(+ : total))
    for (ptrdiff_t k = 0; k < K; k++) total += a[k] * b[k];
    return total;
}

/* Σ_k max(0, margin + a_k) */
MULTIVERSION
static double hinges_of(ptrdiff_t K, const double *a, double margin)
{
    double total = 0;
    SIMD(reduction(+ : total))
    for (ptrdiff_t k = 0; k < K; k++) total += LARGER(margin + a[k], 0);
    return total;
}

/* sums_t += weight Σ_k max(0, margins_t + a_k) */
INLINE void add_hinges(
    ptrdiff_t K, const double *a, double weight, ptrdiff_t n_margins, const double *margins, double *RESTRICT sums)
{
    for (ptrdiff_t k = 0; k < K; k++)
        SIMD()
        for (ptrdiff_t t = 0; t < n_margins; t++) sums[t] += weight * LARGER(margins[t] + a[k], 0);
}

/* Σ_k clip(a_k − τ, 0, 1), and the number of terms inside (0, 1). */
MULTIVERSION
static double clipped_of(ptrdiff_t K, const double *a, double tau, double *n_inside)
{
    double total = 0, inside = 0;
    SIMD(reduction(+ : total, inside))
    for (ptrdiff_t k = 0; k < K; k++) {
        total += SMALLER(LARGER(a[k] - tau, 0), 1);
        inside += (a[k] - tau > 0 ? 1.0 : 0.0) - (a[k] - tau >= 1 ? 1.0 : 0.0);
    }
    *n_inside = inside;
    return total;
}

/* Project onto {g_k ≥ 0 for k ≠ y, g_y = −Σ_{k≠y} g_k ≥ −1}: the level τ rises until no entry leaves any more (Michelot
 * 1986). `kept` is K numbers of work space. There are no branches on single entries, because no processor could predict
 * them. */
MULTIVERSION
static void project_crammer_singer(ptrdiff_t K, ptrdiff_t y, double *RESTRICT a, double *RESTRICT kept)
{
    /* Entries are measured from the greatest of the others, so that a huge common level does not take the digits of the
     * differences. No entry that is smaller by 1, or not above the target, can stay. */
    const double greatest = LARGER(greatest_of(y, a), greatest_of(K - y - 1, a + y + 1)), target = a[y] - greatest;
    ptrdiff_t n = 0, n_before = K + 1;
    double tau = LARGER(target, -1.0), sum = 0;
    int is_inside = 1;
    a[y] = -INFINITY;
    for (ptrdiff_t k = 0; k < K; k++) a[k] -= greatest;
    for (ptrdiff_t k = 0; k < K; k++) {
        kept[n] = a[k];
        n += a[k] > tau;
    }
    while (0 < n && n < n_before) {
        double total = 0;
        for (ptrdiff_t i = 0; i < n; i++) total += kept[i];
        tau = (total + target) / (n + 1);
        is_inside = tau < target + 1;
        if (!is_inside) tau = (total - 1) / n;
        n_before = n;
        n = 0;
        for (ptrdiff_t i = 0; i < n_before; i++) {
            const double entry = kept[i];
            kept[n] = entry;
            n += entry > tau;
        }
    }
    for (ptrdiff_t k = 0; k < K; k++) {
        a[k] = LARGER(a[k] - tau, 0);
        sum += a[k];
    }
    a[y] = is_inside ? -sum : -1;
}

/* out_k = a_k / rho + b_k */
MULTIVERSION
static void proximal_point(ptrdiff_t K, const double *a, double rho, const double *b, double *out)
{
    const double inverse = 1 / rho;
    for (ptrdiff_t k = 0; k < K; k++) out[k] = a[k] * inverse + b[k];
}

/* out_k = clip(a_k + shift, 0, 1) */
MULTIVERSION
static void clip_all(ptrdiff_t K, const double *a, double shift, double *out)
{
    for (ptrdiff_t k = 0; k < K; k++) out[k] = SMALLER(LARGER(a[k] + shift, 0), 1);
}

/* out_k = a_k b_k */
MULTIVERSION
static void multiply(ptrdiff_t n, const double *a, const double *b, double *out)
{
    for (ptrdiff_t k = 0; k < n; k++) out[k] = a[k] * b[k];
}

/* out_k = length · a_k + scale · out_k */
MULTIVERSION
static void add_scaled(ptrdiff_t n, double length, const double *a, double scale, double *out)
{
    for (ptrdiff_t k = 0; k < n; k++) out[k] = length * a[k] + scale * out[k];
}

/* out −= scale · A b, where A has n × n numbers, b and out n × K; rows of b that are zero are passed over. */
MULTIVERSION
static void subtract_product(
    ptrdiff_t n, ptrdiff_t K, const double *RESTRICT A, const double *RESTRICT b, double scale, double *RESTRICT out)
{
    for (ptrdiff_t j = 0; j < n; j++) {
        int is_zero = 1;
        for (ptrdiff_t k = 0; k < K; k++) is_zero &= b[j * K + k] == 0;
        if (is_zero) continue;
        for (ptrdiff_t i = 0; i < n; i++) {
            const double factor = -scale * A[i * n + j];
            SIMD()
            for (ptrdiff_t k = 0; k < K; k++) out[i * K + k] += factor * b[j * K + k];
        }
    }
}

#endif
