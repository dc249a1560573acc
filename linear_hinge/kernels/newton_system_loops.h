/* Products of dense rows for a few classes of each row: those where a subgradient is free, or not zero.
 *
 * The file is included for REAL float and double, after row_loops.h. An entry is a pair of a row and a class; D is of shape
 * (n_classes, n_features), so that the features that an entry needs lie side by side.
 */

#ifndef ENTRY_LOOPS
#define ENTRY_LOOPS
#define DOT_VECTORS 4
#define SUM_FEATURES 32
#define SQUARED_TOGETHER 8
#endif

INLINE REAL NAME(dot)(ptrdiff_t n, const REAL *x, const REAL *d)
{
    NAME(vector) sums[DOT_VECTORS] = {0};
    REAL rest = 0;
    ptrdiff_t j = 0;
    for (; j + DOT_VECTORS * LANES <= n; j += DOT_VECTORS * LANES)
        for (int v = 0; v < DOT_VECTORS; v++)
            sums[v] += *(const NAME(vector) *)(x + j + v * LANES) * *(const NAME(vector) *)(d + j + v * LANES);
    for (; j + LANES <= n; j += LANES) sums[0] += *(const NAME(vector) *)(x + j) * *(const NAME(vector) *)(d + j);
    for (; j < n; j++) rest += x[j] * d[j];
    return rest + NAME(sum_of_lanes)((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/* changes_e = stiffness_i (⟨x_i, D_k⟩ + b_k), k = classes[e], for every entry e of the rows first … last; the mean of a row
 * is subtracted if is_centred. */
MULTIVERSION
static void NAME(entry_changes)(ptrdiff_t first, ptrdiff_t last, ptrdiff_t n_features, const REAL *X, ptrdiff_t stride,
                                const int64_t *rows, const int64_t *starts, const int64_t *classes, const REAL *D,
                                const double *b, const double *stiffness, int is_centred, double *changes)
{
    for (ptrdiff_t i = first; i < last; i++) {
        double mean = 0;
        for (ptrdiff_t e = starts[i]; e < starts[i + 1]; e++) {
            changes[e] = NAME(dot)(n_features, X + rows[i] * stride, D + classes[e] * n_features) + b[classes[e]];
            if (is_centred) mean += changes[e];
        }
        mean /= starts[i + 1] - starts[i];
        for (ptrdiff_t e = starts[i]; e < starts[i + 1]; e++) changes[e] = stiffness[i] * (changes[e] - mean);
    }
}

INLINE void NAME(entry_sums_block)(int n, int is_squared, ptrdiff_t n_entries, const REAL *X, ptrdiff_t stride,
                                   const int64_t *rows, const int64_t *entries, const double *G, double *sums)
{
    double totals[SUM_FEATURES] = {0};
    for (ptrdiff_t e = 0; e < n_entries; e++) {
        const REAL *x = X + rows[e] * stride;
        const double g = G[entries[e]];
        for (int j = 0; j < n; j++) totals[j] += g * (is_squared ? (double)x[j] * x[j] : x[j]);
    }
    for (int j = 0; j < n; j++) sums[j] = totals[j];
}

/* Σ_e g_e x_i, or Σ_e g_e x_i² if is_squared, over the entries of one class and n features from X on, in float64. */
MULTIVERSION
static void NAME(entry_sums)(int is_squared, ptrdiff_t n_entries, ptrdiff_t n, const REAL *X, ptrdiff_t stride,
                             const int64_t *rows, const int64_t *entries, const double *G, double *sums)
{
    ptrdiff_t j = 0;
#define SUMS_BLOCK(n, is_squared) \
    NAME(entry_sums_block)(n, is_squared, n_entries, X + j, stride, rows, entries, G, sums + j)
    for (; j + SUM_FEATURES <= n; j += SUM_FEATURES)
        if (is_squared) SUMS_BLOCK(SUM_FEATURES, 1); else SUMS_BLOCK(SUM_FEATURES, 0);
    SUMS_BLOCK((int)(n - j), is_squared);
#undef SUMS_BLOCK
}

/* To a block of n + 1 rows comes the lower triangle of Σ_e g_e (x_i, 1) (x_i, 1)ᵀ over the entries of one class, several
 * entries at once, so that the block is seldom read and written. */
MULTIVERSION
static void NAME(entry_squares)(ptrdiff_t n_entries, ptrdiff_t n, const REAL *X, ptrdiff_t stride, const int64_t *rows,
                                const int64_t *entries, const double *G, double *block)
{
    for (ptrdiff_t first = 0; first < n_entries; first += SQUARED_TOGETHER) {
        const REAL *x[SQUARED_TOGETHER];
        double g[SQUARED_TOGETHER], a[SQUARED_TOGETHER];
        for (int e = 0; e < SQUARED_TOGETHER; e++) {
            ptrdiff_t at = SMALLER(first + e, n_entries - 1);
            x[e] = X + rows[at] * stride;
            g[e] = first + e < n_entries ? G[entries[at]] : 0;
        }
        for (ptrdiff_t i = 0; i <= n; i++) {
            double *line = block + i * (n + 1);
            for (int e = 0; e < SQUARED_TOGETHER; e++) a[e] = i < n ? g[e] * x[e][i] : g[e];
            for (ptrdiff_t j = 0; j < SMALLER(i + 1, n); j++)
                line[j] += ((a[0] * x[0][j] + a[1] * x[1][j]) + (a[2] * x[2][j] + a[3] * x[3][j]))
                           + ((a[4] * x[4][j] + a[5] * x[5][j]) + (a[6] * x[6][j] + a[7] * x[7][j]));
        }
        for (int e = 0; e < SQUARED_TOGETHER; e++) block[n * (n + 1) + n] += g[e];
    }
}
