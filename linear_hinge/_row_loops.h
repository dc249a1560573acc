/* Products of the rows of a batch with W and sums over them, for one REAL; included once for float and once for double.
 *
 * W, U, scores and weighted subgradients D have `width` numbers a row: one with a single score, otherwise the scores
 * filled up with zeros to a multiple of four, so that loops over them are whole vectors. Each function is compiled for
 * several vector instruction sets where the compiler can, and the machine that it runs on picks one.
 */

#ifndef LINEAR_HINGE_MULTIVERSION
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define LINEAR_HINGE_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LINEAR_HINGE_MULTIVERSION
#endif
#define LINEAR_HINGE_CONCAT_(name, suffix) name##_##suffix
#define LINEAR_HINGE_CONCAT(name, suffix) LINEAR_HINGE_CONCAT_(name, suffix)
#define ROW_GROUP 4
#define PARTIAL_SUMS 16
#endif

#define NAME(name) LINEAR_HINGE_CONCAT(name, SUFFIX)

/* acc[0 … LANES) = Σ_p x_p W[column_p], from lane k on. */
#define SPARSE_LANES(LANES)                                                      \
    for (; k + LANES <= width; k += LANES) {                                     \
        REAL acc[LANES] = {0};                                                   \
        for (ptrdiff_t p = start; p < stop; p++) {                               \
            const REAL x = data[p - start];                                      \
            const REAL *w = W + columns[p - start] * width + k;                  \
            for (int lane = 0; lane < LANES; lane++) acc[lane] += x * w[lane];   \
        }                                                                        \
        for (int lane = 0; lane < LANES; lane++) scores[k + lane] = acc[lane];   \
    }

/* The scores ⟨W, x⟩ of one sparse row with `stop - start` entries. */
LINEAR_HINGE_MULTIVERSION
static void NAME(sparse_scores)(ptrdiff_t start, ptrdiff_t stop, const REAL *data, const int64_t *columns, const REAL *W,
                                ptrdiff_t width, REAL *scores)
{
    ptrdiff_t k = 0;
    if (width == 1) {
        REAL sum = 0;
        for (ptrdiff_t p = start; p < stop; p++) sum += data[p - start] * W[columns[p - start]];
        scores[0] = sum;
        return;
    }
    SPARSE_LANES(16)
    SPARSE_LANES(8)
    SPARSE_LANES(4)
}

/* U[slot_p] += x_p D for the entries of one sparse row whose slot lies in [first, last). */
LINEAR_HINGE_MULTIVERSION
static void NAME(sparse_add)(ptrdiff_t n_entries, const REAL *data, const int64_t *slots, const REAL *D, ptrdiff_t width,
                             ptrdiff_t first, ptrdiff_t last, REAL *U)
{
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const int64_t slot = slots[p];
        if (slot < first || slot >= last) continue;
        const REAL x = data[p];
        REAL *u = U + slot * width;
        if (width == 1) {
            u[0] += x * D[0];
            continue;
        }
        for (ptrdiff_t k = 0; k < width; k += 4)
            for (int lane = 0; lane < 4; lane++) u[k + lane] += x * D[k + lane];
    }
}

#define DENSE_LANES(LANES)                                                                        \
    for (; k + LANES <= width; k += LANES) {                                                      \
        REAL acc[ROW_GROUP][LANES] = {{0}};                                                       \
        for (ptrdiff_t j = 0; j < n_features; j++) {                                              \
            const REAL *w = W + j * width + k;                                                    \
            for (int row = 0; row < ROW_GROUP; row++)                                             \
                for (int lane = 0; lane < LANES; lane++) acc[row][lane] += x[row][j] * w[lane];   \
        }                                                                                         \
        for (int row = 0; row < ROW_GROUP; row++)                                                 \
            for (int lane = 0; lane < LANES; lane++) scores[row * width + k + lane] = acc[row][lane]; \
    }

/* The scores of ROW_GROUP dense rows. */
LINEAR_HINGE_MULTIVERSION
static void NAME(dense_scores)(ptrdiff_t n_features, const REAL *const *x, const REAL *W, ptrdiff_t width, REAL *scores)
{
    ptrdiff_t k = 0;
    if (width == 1) {
        for (int row = 0; row < ROW_GROUP; row++) {
            REAL acc[PARTIAL_SUMS] = {0}, sum = 0;
            ptrdiff_t j = 0;
            for (; j + PARTIAL_SUMS <= n_features; j += PARTIAL_SUMS)
                for (int lane = 0; lane < PARTIAL_SUMS; lane++) acc[lane] += x[row][j + lane] * W[j + lane];
            for (; j < n_features; j++) sum += x[row][j] * W[j];
            for (int lane = 0; lane < PARTIAL_SUMS; lane++) sum += acc[lane];
            scores[row] = sum;
        }
        return;
    }
    DENSE_LANES(16)
    DENSE_LANES(8)
    DENSE_LANES(4)
}

#define DENSE_ADD_LANES(LANES)                                                                     \
    for (; k + LANES <= width; k += LANES) {                                                       \
        REAL d[ROW_GROUP][LANES];                                                                  \
        for (int row = 0; row < ROW_GROUP; row++)                                                  \
            for (int lane = 0; lane < LANES; lane++) d[row][lane] = D[row][k + lane];              \
        for (ptrdiff_t j = first; j < last; j++) {                                                 \
            REAL *u = U + j * width + k;                                                           \
            for (int lane = 0; lane < LANES; lane++)                                               \
                u[lane] += x[0][j] * d[0][lane] + x[1][j] * d[1][lane] + x[2][j] * d[2][lane] +    \
                           x[3][j] * d[3][lane];                                                   \
        }                                                                                          \
    }

/* U[j] += Σ_row x_row,j D_row over ROW_GROUP dense rows, for the features in [first, last). */
LINEAR_HINGE_MULTIVERSION
static void NAME(dense_add)(ptrdiff_t first, ptrdiff_t last, const REAL *const *x, const REAL *const *D, ptrdiff_t width,
                            REAL *U)
{
    ptrdiff_t k = 0;
    if (width == 1) {
        const REAL d0 = D[0][0], d1 = D[1][0], d2 = D[2][0], d3 = D[3][0];
        const REAL *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
        for (ptrdiff_t j = first; j < last; j++) U[j] += x0[j] * d0 + x1[j] * d1 + x2[j] * d2 + x3[j] * d3;
        return;
    }
    DENSE_ADD_LANES(16)
    DENSE_ADD_LANES(8)
    DENSE_ADD_LANES(4)
}

/* ‖U‖² of n numbers. */
LINEAR_HINGE_MULTIVERSION
static double NAME(squared_norm)(const REAL *U, ptrdiff_t n)
{
    double acc[8] = {0}, sum = 0;
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int lane = 0; lane < 8; lane++) acc[lane] += (double)U[i + lane] * U[i + lane];
    for (; i < n; i++) sum += (double)U[i] * U[i];
    for (int lane = 0; lane < 8; lane++) sum += acc[lane];
    return sum;
}

/* target += scale U of n numbers. */
LINEAR_HINGE_MULTIVERSION
static void NAME(add_scaled)(REAL *restrict target, const REAL *restrict U, REAL scale, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++) target[i] += scale * U[i];
}

#undef SPARSE_LANES
#undef DENSE_LANES
#undef DENSE_ADD_LANES
#undef NAME
