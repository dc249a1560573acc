/* Products of groups of dense rows of X with W, sums of rows that are added to W, and loops over the classes of a row in the
 * type of X.
 *
 * The file is included for REAL float and double. A row of W, scores and D has `width` numbers: one with a single score,
 * otherwise the scores filled up with zeros to whole vectors of 32 bytes.
 */

#ifndef ROW_GROUP
#define ROW_GROUP 4
#define FEATURE_GROUP 4
#define MOST_VECTORS 3 /* with ROW_GROUP rows or features, the sums just fit into the registers */
#define PARTIAL_SUMS 32
#endif

#define NAME(name) CONCAT(name, REAL)
#undef LANES
#if VECTOR_BYTES
typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
#define LANES ((ptrdiff_t)(VECTOR_BYTES / sizeof(REAL)))
INLINE REAL NAME(sum_of_lanes)(NAME(vector) v)
{
    REAL sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += v[lane];
    return sum;
}
#else
typedef REAL NAME(vector);
#define LANES 1
INLINE REAL NAME(sum_of_lanes)(NAME(vector) v) { return v; }
#endif

/* Call BLOCK(n) for blocks of n vectors that cover the width, k being the first number of the block. */
#undef FOR_BLOCKS
#define FOR_BLOCKS(BLOCK)                             \
    for (ptrdiff_t k = 0; k < width;) {               \
        const ptrdiff_t n_left = (width - k) / LANES; \
        if (n_left == 4 || n_left == 2) {             \
            BLOCK(2);                                 \
            k += 2 * LANES;                           \
        } else if (n_left >= MOST_VECTORS) {          \
            BLOCK(3);                                 \
            k += 3 * LANES;                           \
        } else {                                      \
            BLOCK(1);                                 \
            k += LANES;                               \
        }                                             \
    }

INLINE void NAME(dense_scores_block)(int n, ptrdiff_t n_features, const REAL *const *x, const REAL *W, ptrdiff_t width,
                                     REAL *scores)
{
    const REAL *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    const int n_abreast = n == 1 ? 2 : 1; /* few sums would wait for each other: those of even and of odd features */
    NAME(vector) sums[2][ROW_GROUP][MOST_VECTORS] = {{{{0}}}};
    for (ptrdiff_t j = 0; j < n_features; j += n_abreast) {
        for (int a = 0; a < n_abreast && j + a < n_features; a++) {
            for (int v = 0; v < n; v++) {
                const NAME(vector) w = *(const NAME(vector) *)(W + (j + a) * width + v * LANES);
                sums[a][0][v] += x0[j + a] * w;
                sums[a][1][v] += x1[j + a] * w;
                sums[a][2][v] += x2[j + a] * w;
                sums[a][3][v] += x3[j + a] * w;
            }
        }
    }
    for (int row = 0; row < ROW_GROUP; row++) {
        for (int v = 0; v < n; v++) {
            for (int a = 1; a < n_abreast; a++) sums[0][row][v] += sums[a][row][v];
            *(NAME(vector) *)(scores + row * width + v * LANES) = sums[0][row][v];
        }
    }
}

/* The scores ⟨W, x⟩ of ROW_GROUP rows. */
MULTIVERSION
static void NAME(dense_scores)(ptrdiff_t n_features, const REAL *const *x, const REAL *W, ptrdiff_t width, REAL *scores)
{
    if (width == 1) {
        for (int row = 0; row < ROW_GROUP; row++) {
            REAL sums[PARTIAL_SUMS] = {0}, sum = 0;
            ptrdiff_t j = 0;
            for (; j + PARTIAL_SUMS <= n_features; j += PARTIAL_SUMS)
                for (int lane = 0; lane < PARTIAL_SUMS; lane++) sums[lane] += x[row][j + lane] * W[j + lane];
            for (; j < n_features; j++) sum += x[row][j] * W[j];
            for (int lane = 0; lane < PARTIAL_SUMS; lane++) sum += sums[lane];
            scores[row] = sum;
        }
        return;
    }
#define DENSE_SCORES_BLOCK(n) NAME(dense_scores_block)(n, n_features, x, W + k, width, scores + k)
    FOR_BLOCKS(DENSE_SCORES_BLOCK)
#undef DENSE_SCORES_BLOCK
}

/* W_j += scale u_j for n vectors of the features j … j + n_group, with u_j = Σ_i x_ij D_i; returns Σ_j ‖u_j‖². */
INLINE NAME(vector) NAME(dense_add_block)(int n, int n_group, ptrdiff_t n_rows, const REAL *const *x,
                                          const REAL *const *D, ptrdiff_t j, ptrdiff_t k, ptrdiff_t width, REAL scale,
                                          REAL *W)
{
    NAME(vector) sums[2 * FEATURE_GROUP][MOST_VECTORS] = {{{0}}}, squared = {0};
    for (ptrdiff_t row = 0; row < n_rows; row++) {
        for (int v = 0; v < n; v++) {
            const NAME(vector) d = *(const NAME(vector) *)(D[row] + k + v * LANES);
            for (int g = 0; g < n_group; g++) sums[g][v] += x[row][j + g] * d;
        }
    }
    for (int g = 0; g < n_group; g++) {
        for (int v = 0; v < n; v++) {
            *(NAME(vector) *)(W + (j + g) * width + k + v * LANES) += scale * sums[g][v];
            squared += sums[g][v] * sums[g][v];
        }
    }
    return squared;
}

/* The same for a single score and the features j … j + n. */
INLINE double NAME(dense_add_single)(ptrdiff_t n, ptrdiff_t n_rows, const REAL *const *x, const REAL *const *D,
                                     ptrdiff_t j, REAL scale, REAL *W)
{
    REAL sums[PARTIAL_SUMS] = {0};
    double squared = 0;
    for (ptrdiff_t row = 0; row < n_rows; row++)
        for (ptrdiff_t lane = 0; lane < n; lane++) sums[lane] += x[row][j + lane] * D[row][0];
    for (ptrdiff_t lane = 0; lane < n; lane++) {
        W[j + lane] += scale * sums[lane];
        squared += (double)sums[lane] * sums[lane];
    }
    return squared;
}

/* W += scale U for the features in [first, last), with U = Σ_i x_i D_i over the rows; returns their part of ‖U‖². */
MULTIVERSION
static double NAME(dense_add)(ptrdiff_t n_rows, const REAL *const *x, const REAL *const *D, ptrdiff_t width, REAL scale,
                              ptrdiff_t first, ptrdiff_t last, REAL *W)
{
    ptrdiff_t j = first;
    if (width == 1) {
        double squared = 0;
        for (; j + PARTIAL_SUMS <= last; j += PARTIAL_SUMS)
            squared += NAME(dense_add_single)(PARTIAL_SUMS, n_rows, x, D, j, scale, W);
        return squared + NAME(dense_add_single)(last - j, n_rows, x, D, j, scale, W);
    }
    NAME(vector) squared = {0};
    if (width == LANES) /* few sums would wait for each other */
        for (; j + 2 * FEATURE_GROUP <= last; j += 2 * FEATURE_GROUP)
            squared += NAME(dense_add_block)(1, 2 * FEATURE_GROUP, n_rows, x, D, j, 0, width, scale, W);
#define DENSE_ADD_BLOCK(n) squared += NAME(dense_add_block)(n, FEATURE_GROUP, n_rows, x, D, j, k, width, scale, W)
    for (; j + FEATURE_GROUP <= last; j += FEATURE_GROUP) FOR_BLOCKS(DENSE_ADD_BLOCK)
#undef DENSE_ADD_BLOCK
#define DENSE_ADD_BLOCK(n) squared += NAME(dense_add_block)(n, 1, n_rows, x, D, j, k, width, scale, W)
    for (; j < last; j++) FOR_BLOCKS(DENSE_ADD_BLOCK)
#undef DENSE_ADD_BLOCK
    return NAME(sum_of_lanes)(squared);
}

/* g and s = raw_scores + level + on_mean · slope of one row in float64, s rounded as the scores are; ⟨g, s⟩ and max_k |s_k|. */
MULTIVERSION
static void NAME(begin_row)(ptrdiff_t K, const REAL *RESTRICT dual, const REAL *RESTRICT raw_scores,
                            const double *RESTRICT level, const double *RESTRICT slope, double on_mean,
                            double *RESTRICT g, double *RESTRICT s, double *RESTRICT inner, double *RESTRICT greatest)
{
    double total = 0, largest = 0;
    SIMD(reduction(+ : total) reduction(max : largest))
    for (ptrdiff_t k = 0; k < K; k++) {
        g[k] = dual[k];
        s[k] = raw_scores[k] + (REAL)(level[k] + on_mean * slope[k]);
        total += g[k] * s[k];
        largest = LARGER(fabs(s[k]), largest);
    }
    *inner = total;
    *greatest = largest;
}

/* δ = better − g, rounded, and weight · δ; ⟨δ, s⟩, ⟨δ, raw_scores⟩ and ‖δ‖². */
MULTIVERSION
static void NAME(end_row)(ptrdiff_t K, const REAL *RESTRICT dual, const REAL *RESTRICT raw_scores, const double *RESTRICT s,
                          double weight, double *RESTRICT better, REAL *RESTRICT step, REAL *RESTRICT weighted,
                          double *RESTRICT sums)
{
    double on_s = 0, on_raw_scores = 0, squared = 0;
    SIMD(reduction(+ : on_s, on_raw_scores, squared))
    for (ptrdiff_t k = 0; k < K; k++) {
        step[k] = (REAL)better[k] - dual[k];
        better[k] = step[k];
        weighted[k] = (REAL)(weight * step[k]);
        on_s += better[k] * s[k];
        on_raw_scores += better[k] * raw_scores[k];
        squared += better[k] * better[k];
    }
    sums[0] = on_s;
    sums[1] = on_raw_scores;
    sums[2] = squared;
}

/* out_k += a_k */
MULTIVERSION
static void NAME(add_row)(ptrdiff_t n, const REAL *RESTRICT a, REAL *RESTRICT out)
{
    for (ptrdiff_t k = 0; k < n; k++) out[k] += a[k];
}

/* dual_k += eta · step_k */
MULTIVERSION
static void NAME(take_step)(ptrdiff_t K, REAL eta, const REAL *RESTRICT step, REAL *RESTRICT dual)
{
    for (ptrdiff_t k = 0; k < K; k++) dual[k] += eta * step[k];
}

/* total += weight · step and total_on_mean += on_mean · weight · step */
MULTIVERSION
static void NAME(add_step)(ptrdiff_t K, double weight, double on_mean, const REAL *RESTRICT step, double *RESTRICT total,
                           double *RESTRICT total_on_mean)
{
    for (ptrdiff_t k = 0; k < K; k++) {
        total[k] += weight * step[k];
        total_on_mean[k] += on_mean * weight * step[k];
    }
}

/* ‖x‖² of a row. */
MULTIVERSION
static double NAME(dense_norm)(ptrdiff_t n_features, const REAL *x)
{
    double sums[FEATURE_GROUP] = {0};
    ptrdiff_t j = 0;
    for (; j + FEATURE_GROUP <= n_features; j += FEATURE_GROUP)
        for (int g = 0; g < FEATURE_GROUP; g++) sums[g] += (double)x[j + g] * x[j + g];
    for (; j < n_features; j++) sums[0] += (double)x[j] * x[j];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}
