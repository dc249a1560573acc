/* Products of the rows of a batch with W, and sums over them, for one REAL; included once for float and once for double.
 *
 * W, U, scores and weighted subgradients D have `width` numbers a row: one with a single score, otherwise the scores
 * filled up with zeros to whole vectors of 32 bytes. Each function is compiled for several instruction sets where the
 * compiler can, and the machine that it runs on picks one.
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
#else
#define VECTOR_BYTES 0 /* vectors of one number */
#define INLINE static inline
#endif
#define MOST_VECTORS 3 /* with ROW_GROUP rows, as many sums as fit into the registers */
#define ROW_GROUP 4
#define PARTIAL_SUMS 32
#define CONCAT_(name, suffix) name##_##suffix
#define CONCAT(name, suffix) CONCAT_(name, suffix)
#define NAME(name) CONCAT(name, REAL)
#endif

#undef LANES
#if VECTOR_BYTES
typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
#define LANES ((ptrdiff_t)(VECTOR_BYTES / sizeof(REAL)))
#else
typedef REAL NAME(vector);
#define LANES 1
#endif

/* Calls BLOCK(n) for blocks of n vectors that cover the width, k being the first number of the block. */
#undef FOR_BLOCKS
#define FOR_BLOCKS(BLOCK)                                        \
    for (ptrdiff_t k = 0; k < width;) {                          \
        const ptrdiff_t n_left = (width - k) / LANES;            \
        if (n_left == 4 || n_left == 2) {                        \
            BLOCK(2);                                            \
            k += 2 * LANES;                                      \
        } else if (n_left >= MOST_VECTORS) {                     \
            BLOCK(3);                                            \
            k += 3 * LANES;                                      \
        } else {                                                 \
            BLOCK(1);                                            \
            k += LANES;                                          \
        }                                                        \
    }

/* The scores ⟨W, x⟩ of one sparse row, `n` vectors of them. */
INLINE void NAME(sparse_block)(int n, ptrdiff_t n_entries, const REAL *data, const int64_t *columns, const REAL *W,
                               ptrdiff_t width, REAL *scores)
{
    NAME(vector) sums[MOST_VECTORS] = {0};
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const REAL *w = W + columns[p] * width;
        for (int v = 0; v < n; v++) sums[v] += data[p] * *(const NAME(vector) *)(w + v * LANES);
    }
    for (int v = 0; v < n; v++) *(NAME(vector) *)(scores + v * LANES) = sums[v];
}

/* The scores ⟨W, x⟩ of one sparse row. */
MULTIVERSION
static void NAME(sparse_scores)(ptrdiff_t n_entries, const REAL *data, const int64_t *columns, const REAL *W,
                                ptrdiff_t width, REAL *scores)
{
    if (width == 1) {
        REAL sum = 0;
        for (ptrdiff_t p = 0; p < n_entries; p++) sum += data[p] * W[columns[p]];
        scores[0] = sum;
        return;
    }
#define SPARSE_BLOCK(n) NAME(sparse_block)(n, n_entries, data, columns, W + k, width, scores + k)
    FOR_BLOCKS(SPARSE_BLOCK)
#undef SPARSE_BLOCK
}

/* U[slot_p] += x_p D for the entries of one sparse row whose slot lies in [first, last). */
MULTIVERSION
static void NAME(sparse_add)(ptrdiff_t n_entries, const REAL *data, const int64_t *slots, const REAL *D, ptrdiff_t width,
                             ptrdiff_t first, ptrdiff_t last, REAL *U)
{
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const int64_t slot = slots[p];
        if (slot < first || slot >= last) continue;
        REAL *u = U + slot * width;
        if (width == 1)
            u[0] += data[p] * D[0];
        else
            for (ptrdiff_t k = 0; k < width; k += LANES)
                *(NAME(vector) *)(u + k) += data[p] * *(const NAME(vector) *)(D + k);
    }
}

INLINE void NAME(dense_block)(int n, ptrdiff_t n_features, const REAL *const *x, const REAL *W, ptrdiff_t width,
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

/* The scores of ROW_GROUP dense rows. */
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
#define DENSE_BLOCK(n) NAME(dense_block)(n, n_features, x, W + k, width, scores + k)
    FOR_BLOCKS(DENSE_BLOCK)
#undef DENSE_BLOCK
}

INLINE void NAME(dense_add_block)(int n, ptrdiff_t first, ptrdiff_t last, const REAL *const *x, const REAL *const *D,
                                  ptrdiff_t k, ptrdiff_t width, REAL *U)
{
    const REAL *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    NAME(vector) d[ROW_GROUP][MOST_VECTORS];
    for (int row = 0; row < ROW_GROUP; row++)
        for (int v = 0; v < n; v++) d[row][v] = *(const NAME(vector) *)(D[row] + k + v * LANES);
    for (ptrdiff_t j = first; j < last; j++) {
        for (int v = 0; v < n; v++) {
            NAME(vector) *u = (NAME(vector) *)(U + j * width + k + v * LANES);
            *u += x0[j] * d[0][v] + x1[j] * d[1][v] + x2[j] * d[2][v] + x3[j] * d[3][v];
        }
    }
}

/* U[j] += Σ_row x_row,j D_row over ROW_GROUP dense rows, for the features in [first, last). */
MULTIVERSION
static void NAME(dense_add)(ptrdiff_t first, ptrdiff_t last, const REAL *const *x, const REAL *const *D, ptrdiff_t width,
                            REAL *U)
{
    if (width == 1) {
        const REAL d0 = D[0][0], d1 = D[1][0], d2 = D[2][0], d3 = D[3][0];
        const REAL *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
        for (ptrdiff_t j = first; j < last; j++) U[j] += x0[j] * d0 + x1[j] * d1 + x2[j] * d2 + x3[j] * d3;
        return;
    }
#define DENSE_ADD_BLOCK(n) NAME(dense_add_block)(n, first, last, x, D, k, width, U)
    FOR_BLOCKS(DENSE_ADD_BLOCK)
#undef DENSE_ADD_BLOCK
}

/* ‖U‖² of n numbers. */
MULTIVERSION
static double NAME(squared_norm)(const REAL *U, ptrdiff_t n)
{
    double sums[PARTIAL_SUMS] = {0}, sum = 0;
    ptrdiff_t i = 0;
    for (; i + PARTIAL_SUMS <= n; i += PARTIAL_SUMS)
        for (int lane = 0; lane < PARTIAL_SUMS; lane++) sums[lane] += (double)U[i + lane] * U[i + lane];
    for (; i < n; i++) sum += (double)U[i] * U[i];
    for (int lane = 0; lane < PARTIAL_SUMS; lane++) sum += sums[lane];
    return sum;
}

/* target += scale U of n numbers. */
MULTIVERSION
static void NAME(add_scaled)(REAL *target, const REAL *U, REAL scale, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++) target[i] += scale * U[i];
}
