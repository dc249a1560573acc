/* Loops over dense rows that leave out groups of features that are zero. A bit stands for FEATURE_GROUP features of a row,
 * and is set if one of them is not zero; 32 bits make a block.
 *
 * The file is included for REAL float and double, after row_loops.h. Its loops are not for a single score.
 */

#ifndef OCCUPIED_BLOCK
#define OCCUPIED_BLOCK (32 * FEATURE_GROUP)
#if defined(__GNUC__)
#define LOWEST_BIT(bits) __builtin_ctz(bits)
#else
INLINE int LOWEST_BIT(uint32_t bits)
{
    int bit = 0;
    while (!(bits >> bit & 1)) bit++;
    return bit;
}
#endif
#endif

/* ‖x‖² of a row, and its bits if `occupied` is not NULL. */
MULTIVERSION
static double NAME(dense_norm)(ptrdiff_t n_features, const REAL *x, uint32_t *occupied)
{
    double sums[FEATURE_GROUP] = {0};
    for (ptrdiff_t first = 0; first < n_features; first += OCCUPIED_BLOCK) {
        const ptrdiff_t last = first + OCCUPIED_BLOCK < n_features ? first + OCCUPIED_BLOCK : n_features;
        uint32_t bits = 0;
        ptrdiff_t j = first;
        for (int bit = 0; j + FEATURE_GROUP <= last; j += FEATURE_GROUP, bit++) {
            int any = 0;
            for (int g = 0; g < FEATURE_GROUP; g++) {
                sums[g] += (double)x[j + g] * x[j + g];
                any |= x[j + g] != 0;
            }
            bits |= (uint32_t)any << bit;
        }
        for (; j < last; j++) {
            sums[0] += (double)x[j] * x[j];
            bits |= (uint32_t)(x[j] != 0) << (j - first) / FEATURE_GROUP;
        }
        if (occupied != NULL) occupied[first / OCCUPIED_BLOCK] = bits;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

INLINE void NAME(occupied_scores_block)(int n, ptrdiff_t n_features, uint32_t bits, const REAL *x, const REAL *W,
                                        ptrdiff_t width, REAL *scores)
{
    /* Several sums grow side by side, because each of them has to wait for its last product. */
    NAME(vector) sums[FEATURE_GROUP][MOST_VECTORS] = {{{0}}};
    for (; bits; bits &= bits - 1) {
        const ptrdiff_t j = FEATURE_GROUP * LOWEST_BIT(bits);
        if (j + FEATURE_GROUP <= n_features)
            for (int g = 0; g < FEATURE_GROUP; g++)
                for (int v = 0; v < n; v++)
                    sums[g][v] += x[j + g] * *(const NAME(vector) *)(W + (j + g) * width + v * LANES);
        else
            for (ptrdiff_t i = j; i < n_features; i++)
                for (int v = 0; v < n; v++) sums[0][v] += x[i] * *(const NAME(vector) *)(W + i * width + v * LANES);
    }
    for (int v = 0; v < n; v++)
        *(NAME(vector) *)(scores + v * LANES) += (sums[0][v] + sums[1][v]) + (sums[2][v] + sums[3][v]);
}

/* To the scores of a row comes the part that a block of `n_features` features contributes. */
MULTIVERSION
static void NAME(occupied_scores)(ptrdiff_t n_features, uint32_t bits, const REAL *x, const REAL *W, ptrdiff_t width,
                                  REAL *scores)
{
#define OCCUPIED_SCORES_BLOCK(n) NAME(occupied_scores_block)(n, n_features, bits, x, W + k, width, scores + k)
    FOR_BLOCKS(OCCUPIED_SCORES_BLOCK)
#undef OCCUPIED_SCORES_BLOCK
}

/* Fetch the occupied part of a block. */
INLINE void NAME(fetch_occupied)(uint32_t bits, const REAL *x)
{
    const int n = LINE_BYTES / (FEATURE_GROUP * (int)sizeof(REAL)); /* bits of a line of memory */
    for (; bits; bits >>= n, x += n * FEATURE_GROUP)
        if (bits & ((1u << n) - 1)) PREFETCH(x);
}

/* dense_add for one block; `x` and `D` are followed by `n_rows` addresses of work space each. */
MULTIVERSION
static double NAME(occupied_add)(ptrdiff_t n_rows, const REAL **x, const REAL **D, const intptr_t *bits, ptrdiff_t width,
                                 REAL scale, ptrdiff_t first, ptrdiff_t last, REAL *W)
{
    const REAL **some_x = x + n_rows, **some_D = D + n_rows;
    NAME(vector) squared = {0};
    for (ptrdiff_t j = first; j < last; j += FEATURE_GROUP) {
        const int bit = (int)((j - first) / FEATURE_GROUP);
        ptrdiff_t n = 0;
        for (ptrdiff_t row = 0; row < n_rows; row++) {
            some_x[n] = x[row];
            some_D[n] = D[row];
            n += bits[row] >> bit & 1;
        }
        if (n == 0) continue;
#define OCCUPIED_ADD_BLOCK(m) squared += NAME(dense_add_block)(m, n_group, n, some_x, some_D, i, k, width, scale, W)
        if (j + FEATURE_GROUP <= last) {
            const int n_group = FEATURE_GROUP;
            const ptrdiff_t i = j;
            FOR_BLOCKS(OCCUPIED_ADD_BLOCK)
        } else {
            const int n_group = 1;
            for (ptrdiff_t i = j; i < last; i++) FOR_BLOCKS(OCCUPIED_ADD_BLOCK)
        }
#undef OCCUPIED_ADD_BLOCK
    }
    return NAME(sum_of_lanes)(squared);
}
