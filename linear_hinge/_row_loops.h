/* Products of single rows of X, or groups of them, with W, and the sums of rows that are added to it.
 *
 * Included for REAL float and double, and for the loops over sparse rows with INDEX int32_t and int64_t. W, scores and
 * D have `width` numbers a row: one with a single score, otherwise the scores filled up with zeros to whole vectors of
 * 32 bytes. Each function is compiled for several instruction sets where the compiler can, and the machine that it runs
 * on picks one.
 */

#ifndef LINEAR_HINGE_ROW_LOOPS
#define LINEAR_HINGE_ROW_LOOPS
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif
#if defined(__GNUC__)
#define VECTOR_BYTES 32
#define INLINE static inline __attribute__((always_inline))
#define PREFETCH(address) __builtin_prefetch(address)
#define RESTRICT __restrict__
#else
#define VECTOR_BYTES 0 /* vectors of one number */
#define INLINE static inline
#define PREFETCH(address) ((void)0)
#define RESTRICT
#endif
#define LINE_BYTES 64
#define ENTRIES_AHEAD 32 /* the row of W that is fetched while another is worked on */
#define MOST_VECTORS 3  /* with ROW_GROUP rows or features, as many sums as fit into the registers */
#define MOST_SPARSE_VECTORS 6
#define MOST_BLOCKS 256 /* that are looked at for zeros */
#define ROW_GROUP 4
#define FEATURE_GROUP 4
#define PARTIAL_SUMS 32
#if VECTOR_BYTES
typedef double wide_vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(double)), may_alias));
#define WIDE_LANES ((ptrdiff_t)(VECTOR_BYTES / sizeof(double)))
#else
typedef double wide_vector;
#define WIDE_LANES 1
#endif
#define CONCAT_(a, b) a##_##b
#define CONCAT(a, b) CONCAT_(a, b)

/* a b + c, rounded once: left to itself, the compiler rounds twice in some loops and once in others, and int32 and int64
 * indices would give different bits. */
#include <math.h>
INLINE float fused_float(float a, float b, float c) { return fmaf(a, b, c); }
INLINE double fused_double(double a, double b, double c) { return fma(a, b, c); }

/* Bring `n_bytes` from there on. */
INLINE void fetch(const void *start, ptrdiff_t n_bytes)
{
    for (ptrdiff_t byte = 0; byte < n_bytes; byte += LINE_BYTES) PREFETCH((const char *)start + byte);
}
#endif

#ifndef INDEX /* ---------------------------------------------------------------------------------------- dense rows */

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

/* Calls BLOCK(n) for blocks of n vectors that cover the width, k being the first number of the block. */
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
    NAME(vector) sums[ROW_GROUP][MOST_VECTORS] = {{{0}}};
    for (ptrdiff_t j = 0; j < n_features; j++) {
        for (int v = 0; v < n; v++) {
            const NAME(vector) w = *(const NAME(vector) *)(W + j * width + v * LANES);
            sums[0][v] += x0[j] * w;
            sums[1][v] += x1[j] * w;
            sums[2][v] += x2[j] * w;
            sums[3][v] += x3[j] * w;
        }
    }
    for (int row = 0; row < ROW_GROUP; row++)
        for (int v = 0; v < n; v++) *(NAME(vector) *)(scores + row * width + v * LANES) = sums[row][v];
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

/* W_j += scale u_j for n vectors of the features j … j + n_group, u_j = Σ_i x_ij D_i; Σ_j ‖u_j‖². */
INLINE NAME(vector) NAME(dense_add_block)(int n, int n_group, ptrdiff_t n_rows, const REAL *const *x,
                                          const REAL *const *D, ptrdiff_t j, ptrdiff_t k, ptrdiff_t width, REAL scale,
                                          REAL *W)
{
    NAME(vector) sums[FEATURE_GROUP][MOST_VECTORS] = {{{0}}}, squared = {0};
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

/* W += scale U for the features in [first, last), U = Σ_i x_i D_i over the rows; ‖U‖² there. */
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
#define DENSE_ADD_BLOCK(n) squared += NAME(dense_add_block)(n, FEATURE_GROUP, n_rows, x, D, j, k, width, scale, W)
    for (; j + FEATURE_GROUP <= last; j += FEATURE_GROUP) FOR_BLOCKS(DENSE_ADD_BLOCK)
#undef DENSE_ADD_BLOCK
#define DENSE_ADD_BLOCK(n) squared += NAME(dense_add_block)(n, 1, n_rows, x, D, j, k, width, scale, W)
    for (; j < last; j++) FOR_BLOCKS(DENSE_ADD_BLOCK)
#undef DENSE_ADD_BLOCK
    return NAME(sum_of_lanes)(squared);
}

/* g and s = raw + level + on_mean · slope of one row in float64, s rounded as the scores are. */
MULTIVERSION
static void NAME(begin_row)(ptrdiff_t K, const REAL *RESTRICT dual, const REAL *RESTRICT raw,
                            const double *RESTRICT level, const double *RESTRICT slope, double on_mean,
                            double *RESTRICT g, double *RESTRICT s)
{
    for (ptrdiff_t k = 0; k < K; k++) {
        g[k] = dual[k];
        s[k] = raw[k] + (REAL)(level[k] + on_mean * slope[k]);
    }
}

/* δ = better − g as it is rounded, weight · δ, and the scores raw, in float64 δ and raw once more. */
MULTIVERSION
static void NAME(end_row)(ptrdiff_t K, const REAL *RESTRICT dual, const REAL *RESTRICT raw, double weight,
                          double *RESTRICT better, double *RESTRICT wide_raw, REAL *RESTRICT step,
                          REAL *RESTRICT weighted)
{
    for (ptrdiff_t k = 0; k < K; k++) {
        step[k] = (REAL)better[k] - dual[k];
        better[k] = step[k];
        weighted[k] = (REAL)(weight * step[k]);
        wide_raw[k] = raw[k];
    }
}

#else /* ------------------------------------------------------------------------------------------------ sparse rows */

#undef INDEXED
#define INDEXED(name) CONCAT(NAME(name), INDEX)

/* Bring the row of W that belongs to an entry further on. */
INLINE void INDEXED(fetch_ahead)(ptrdiff_t p, ptrdiff_t n_entries, const INDEX *columns, const REAL *W, ptrdiff_t width)
{
    if (p + ENTRIES_AHEAD < n_entries)
        fetch(W + (ptrdiff_t)columns[p + ENTRIES_AHEAD] * width, width * (ptrdiff_t)sizeof(REAL));
}

INLINE void INDEXED(sparse_scores_block)(int n, ptrdiff_t n_entries, const REAL *data, const INDEX *columns,
                                         const REAL *W, ptrdiff_t k, ptrdiff_t width, REAL *scores)
{
    NAME(vector) sums[MOST_SPARSE_VECTORS] = {0};
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const REAL *w = W + (ptrdiff_t)columns[p] * width + k;
        if (k == 0) INDEXED(fetch_ahead)(p, n_entries, columns, W, width);
        for (int v = 0; v < n; v++) sums[v] += data[p] * *(const NAME(vector) *)(w + v * LANES);
    }
    for (int v = 0; v < n; v++) *(NAME(vector) *)(scores + k + v * LANES) = sums[v];
}

/* The scores ⟨W, x⟩ of one row. */
MULTIVERSION
static void INDEXED(sparse_scores)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, const REAL *W,
                                   ptrdiff_t width, REAL *scores)
{
    if (width == 1) {
        REAL sum = 0;
        for (ptrdiff_t p = 0; p < n_entries; p++) sum = NAME(fused)(data[p], W[columns[p]], sum);
        scores[0] = sum;
        return;
    }
    for (ptrdiff_t k = 0; k < width;) {
        const ptrdiff_t n_left = (width - k) / LANES, n = n_left < MOST_SPARSE_VECTORS ? n_left : MOST_SPARSE_VECTORS;
        switch (n) { /* a number that the compiler knows */
#define CASE(n) case n: INDEXED(sparse_scores_block)(n, n_entries, data, columns, W, k, width, scores); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
        }
        k += n * LANES;
    }
}

/* Where the blocks of D that are not all zero begin; how many these are. Beyond MOST_BLOCKS the rest counts as not zero. */
INLINE ptrdiff_t INDEXED(nonzero_blocks)(const REAL *D, ptrdiff_t width, ptrdiff_t *blocks)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t k = 0; k < width && k < MOST_BLOCKS * LANES; k += LANES) {
        int is_nonzero = 0;
        for (ptrdiff_t lane = 0; lane < LANES; lane++) is_nonzero |= D[k + lane] != 0;
        blocks[n] = k;
        n += is_nonzero;
    }
    return n;
}

/* w_k += x D_k for one block; by how much ‖w‖² grows. */
INLINE NAME(vector) INDEXED(add_block)(REAL x, const REAL *D, REAL *w)
{
    const NAME(vector) old = *(NAME(vector) *)w, new = old + x * *(const NAME(vector) *)D;
    *(NAME(vector) *)w = new;
    return (new - old) * (old + new);
}

/* W_j += scale x_j D for the entries of one row whose feature lies in [first, last), and how much ‖W‖² grows by each. Few
 * classes move in a step: only their blocks are touched. */
MULTIVERSION
static void INDEXED(sparse_add)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, const REAL *D,
                                ptrdiff_t width, REAL scale, ptrdiff_t first, ptrdiff_t last, REAL *W, double *growth)
{
    ptrdiff_t blocks[MOST_BLOCKS];
    const ptrdiff_t n_blocks = width == 1 ? 0 : INDEXED(nonzero_blocks)(D, width, blocks);
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const ptrdiff_t j = columns[p];
        if (j < first || j >= last) continue;
        const REAL x = scale * data[p];
        REAL *w = W + j * width;
        if (width == 1) {
            const REAL old = w[0], new = NAME(fused)(x, D[0], old);
            growth[p] = (double)(new - old) * (old + new);
            w[0] = new;
            continue;
        }
        if (p + ENTRIES_AHEAD < n_entries) {
            const REAL *ahead = W + (ptrdiff_t)columns[p + ENTRIES_AHEAD] * width;
            for (ptrdiff_t b = 0; b < n_blocks; b++) PREFETCH(ahead + blocks[b]);
        }
        NAME(vector) sums = {0};
        for (ptrdiff_t b = 0; b < n_blocks; b++) sums += INDEXED(add_block)(x, D + blocks[b], w + blocks[b]);
        for (ptrdiff_t k = MOST_BLOCKS * LANES; k < width; k += LANES) sums += INDEXED(add_block)(x, D + k, w + k);
        growth[p] = NAME(sum_of_lanes)(sums);
    }
}

/* out_j += x_j g, or x_j² g, in float64 for the entries of one row whose feature lies in [first, last). */
MULTIVERSION
static void INDEXED(sparse_sum)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, const double *g,
                                ptrdiff_t width, int is_squared, ptrdiff_t first, ptrdiff_t last, double *out)
{
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const ptrdiff_t j = columns[p];
        if (j < first || j >= last) continue;
        const double x = is_squared ? (double)data[p] * data[p] : data[p];
        double *sums = out + j * width;
        if (width == 1) {
            sums[0] = fused_double(x, g[0], sums[0]);
            continue;
        }
        if (p + ENTRIES_AHEAD < n_entries) PREFETCH(out + (ptrdiff_t)columns[p + ENTRIES_AHEAD] * width);
        for (ptrdiff_t k = 0; k < width; k += WIDE_LANES)
            *(wide_vector *)(sums + k) += x * *(const wide_vector *)(g + k);
    }
}

/* ‖x‖² of one row in float64, entries of the same feature summed up first; feature_sums are zero before and after. */
MULTIVERSION
static double INDEXED(sparse_norm)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, double *feature_sums)
{
    double total = 0;
    for (ptrdiff_t p = 0; p < n_entries; p++) feature_sums[columns[p]] += data[p];
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const double x = feature_sums[columns[p]];
        total += x * x;
        feature_sums[columns[p]] = 0;
    }
    return total;
}

#endif
