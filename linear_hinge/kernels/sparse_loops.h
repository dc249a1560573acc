/* The loops of row_loops.h and newton_system_loops.h, for single sparse rows.
 *
 * The file is included for REAL float and double with INDEX int32_t and int64_t, after row_loops.h.
 */

#ifndef ENTRIES_AHEAD
#define ENTRIES_AHEAD 32 /* how far ahead the rows of W are fetched */
#define MOST_SPARSE_VECTORS 6
#define SPARSE_SUMS 4 /* sums that grow side by side */
#define ROWS_ABREAST 8
#define SHORT_ROW 32 /* entries */
#endif

#undef INDEXED
#define INDEXED(name) CONCAT(NAME(name), INDEX)

/* Fetch `n` numbers of the row of W that belongs to an entry further on. */
INLINE void INDEXED(fetch_ahead)(ptrdiff_t p, ptrdiff_t n_entries, const INDEX *columns, const REAL *W, ptrdiff_t width,
                                 ptrdiff_t n)
{
    if (p + ENTRIES_AHEAD < n_entries)
        fetch(W + (ptrdiff_t)columns[p + ENTRIES_AHEAD] * width, n * (ptrdiff_t)sizeof(REAL));
}

INLINE void INDEXED(sparse_scores_block)(int n, ptrdiff_t n_entries, const REAL *data, const INDEX *columns,
                                         const REAL *W, ptrdiff_t width, ptrdiff_t n_ahead, REAL *scores)
{
    NAME(vector) sums[MOST_SPARSE_VECTORS] = {0};
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const REAL *w = W + (ptrdiff_t)columns[p] * width;
        INDEXED(fetch_ahead)(p, n_entries, columns, W, width, n_ahead);
        for (int v = 0; v < n; v++) sums[v] += data[p] * *(const NAME(vector) *)(w + v * LANES);
    }
    for (int v = 0; v < n; v++) *(NAME(vector) *)(scores + v * LANES) = sums[v];
}

/* The scores ⟨W, x⟩ of one row for the classes in [first, last). */
MULTIVERSION
static void INDEXED(sparse_scores)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, const REAL *W,
                                   ptrdiff_t width, ptrdiff_t first, ptrdiff_t last, REAL *scores)
{
    for (ptrdiff_t k = first; k < last;) {
        const ptrdiff_t n_left = (last - k) / LANES, n = n_left < MOST_SPARSE_VECTORS ? n_left : MOST_SPARSE_VECTORS;
        const ptrdiff_t n_ahead = k == first ? last - first : 0;
        switch (n) { /* a number that the compiler knows */
#define CASE(n)                                                                                               \
    case n:                                                                                                   \
        INDEXED(sparse_scores_block)(n, n_entries, data, columns, W + k, width, n_ahead, scores + k);         \
        break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
        }
        k += n * LANES;
    }
}

INLINE REAL INDEXED(sparse_dot)(ptrdiff_t n, const REAL *data, const INDEX *columns, const REAL *d)
{
    REAL sums[SPARSE_SUMS] = {0};
    ptrdiff_t p = 0;
    for (; p + SPARSE_SUMS <= n; p += SPARSE_SUMS)
        for (int lane = 0; lane < SPARSE_SUMS; lane++)
            sums[lane] = NAME(fused)(data[p + lane], d[columns[p + lane]], sums[lane]);
    for (; p < n; p++) sums[0] = NAME(fused)(data[p], d[columns[p]], sums[0]);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* The scores of rows for a single class. The sums of short rows grow side by side up to the length of the shortest, so that
 * they wait for memory together. The sum of a row does not depend on its neighbours. */
MULTIVERSION
static void INDEXED(sparse_single_scores)(ptrdiff_t n_rows, const int64_t *rows, const REAL *data, const INDEX *columns,
                                          const INDEX *indptr, const REAL *W, REAL *scores)
{
    for (ptrdiff_t i = 0; i < n_rows; i += ROWS_ABREAST) {
        const ptrdiff_t n_abreast = SMALLER(ROWS_ABREAST, n_rows - i);
        const REAL *x[ROWS_ABREAST];
        const INDEX *c[ROWS_ABREAST];
        ptrdiff_t n[ROWS_ABREAST], fewest = SHORT_ROW, p = 0;
        REAL sums[ROWS_ABREAST] = {0};
        for (int r = 0; r < ROWS_ABREAST; r++) {
            const int64_t row = rows[i + SMALLER(r, n_abreast - 1)];
            x[r] = data + indptr[row];
            c[r] = columns + indptr[row];
            n[r] = indptr[row + 1] - indptr[row];
            fewest = SMALLER(fewest, n[r] <= SHORT_ROW ? n[r] : 0);
        }
        for (; p < fewest; p++)
            for (int r = 0; r < ROWS_ABREAST; r++) sums[r] = NAME(fused)(x[r][p], W[c[r][p]], sums[r]);
        for (ptrdiff_t r = 0; r < n_abreast; r++) {
            if (n[r] > SHORT_ROW)
                sums[r] = INDEXED(sparse_dot)(n[r], x[r], c[r], W);
            else
                for (ptrdiff_t q = p; q < n[r]; q++) sums[r] = NAME(fused)(x[r][q], W[c[r][q]], sums[r]);
            scores[i + r] = sums[r];
        }
    }
}

/* w += change; returns by how much w² grows. */
INLINE double INDEXED(add_entry)(REAL change, REAL *w)
{
    const REAL old = *w;
    *w = old + change;
    return (double)change * (old + *w);
}

/* W += scale Σ_i d_i x_i for a single class; returns by how much ‖W‖² grows. */
MULTIVERSION
static double INDEXED(sparse_single_add)(ptrdiff_t n_rows, const int64_t *rows, const REAL *data, const INDEX *columns,
                                         const INDEX *indptr, const REAL *d, REAL scale, REAL *W)
{
    double growth[SPARSE_SUMS] = {0};
    for (ptrdiff_t i = 0; i < n_rows; i++) {
        if (d[i] == 0) continue;
        const ptrdiff_t last = indptr[rows[i] + 1];
        ptrdiff_t p = indptr[rows[i]];
        for (; p + SPARSE_SUMS <= last; p += SPARSE_SUMS)
            for (int lane = 0; lane < SPARSE_SUMS; lane++)
                growth[lane] += INDEXED(add_entry)(scale * d[i] * data[p + lane], W + columns[p + lane]);
        for (; p < last; p++) growth[0] += INDEXED(add_entry)(scale * d[i] * data[p], W + columns[p]);
    }
    return (growth[0] + growth[1]) + (growth[2] + growth[3]);
}

/* W_j += scale x_j D for n blocks of classes; growth is increased by how much ‖W‖² grows in each of them. */
INLINE void INDEXED(sparse_add_blocks)(int n, const ptrdiff_t *blocks, ptrdiff_t n_entries, const REAL *data,
                                       const INDEX *columns, const REAL *D, ptrdiff_t width, REAL scale, REAL *W,
                                       double *growth)
{
    NAME(vector) d[MOST_SPARSE_VECTORS], sums[MOST_SPARSE_VECTORS] = {0};
    for (int b = 0; b < n; b++) d[b] = *(const NAME(vector) *)(D + blocks[b]);
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const REAL x = scale * data[p];
        REAL *w = W + (ptrdiff_t)columns[p] * width;
        if (p + ENTRIES_AHEAD < n_entries) {
            const REAL *ahead = W + (ptrdiff_t)columns[p + ENTRIES_AHEAD] * width;
            for (int b = 0; b < n; b++) PREFETCH(ahead + blocks[b]);
        }
        for (int b = 0; b < n; b++) {
            const NAME(vector) old = *(NAME(vector) *)(w + blocks[b]), change = x * d[b], new = old + change;
            *(NAME(vector) *)(w + blocks[b]) = new;
            sums[b] += change * (old + new);
        }
    }
    for (int b = 0; b < n; b++) growth[blocks[b]] += NAME(sum_of_lanes)(sums[b]);
}

/* W_j += scale x_j D for the entries of one row and the classes in [first, last); growth_k is increased by how much ‖W‖²
 * grows in the LANES classes from k on. Few classes move in a step: only their blocks are touched. */
MULTIVERSION
static void INDEXED(sparse_add)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, const REAL *D,
                                ptrdiff_t width, REAL scale, ptrdiff_t first, ptrdiff_t last, REAL *W, double *growth)
{
    for (ptrdiff_t k = first; k < last;) {
        ptrdiff_t blocks[MOST_SPARSE_VECTORS];
        int n = 0;
        for (; k < last && n < MOST_SPARSE_VECTORS; k += LANES) {
            int is_nonzero = 0;
            for (ptrdiff_t lane = 0; lane < LANES; lane++) is_nonzero |= D[k + lane] != 0;
            blocks[n] = k;
            n += is_nonzero;
        }
        switch (n) { /* a number that the compiler knows */
#define CASE(n)                                                                                               \
    case n:                                                                                                   \
        INDEXED(sparse_add_blocks)(n, blocks, n_entries, data, columns, D, width, scale, W, growth);          \
        break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
        }
    }
}

/* out_j += x_j g, or x_j² g, in float64 for the entries of one row. */
MULTIVERSION
static void INDEXED(sparse_sum)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, const double *g,
                                ptrdiff_t width, int is_squared, double *out)
{
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const double x = is_squared ? (double)data[p] * data[p] : data[p];
        double *sums = out + (ptrdiff_t)columns[p] * width;
        if (width == 1) {
            sums[0] = fused_double(x, g[0], sums[0]);
            continue;
        }
        if (p + ENTRIES_AHEAD < n_entries) PREFETCH(out + (ptrdiff_t)columns[p + ENTRIES_AHEAD] * width);
        for (ptrdiff_t k = 0; k < width; k += WIDE_LANES)
            *(wide_vector *)(sums + k) += x * *(const wide_vector *)(g + k);
    }
}

/* ‖x‖² of one row in float64, in which entries of the same feature are summed up first. last_rows contains the last row of
 * every feature; feature_sums is zero before and after. */
MULTIVERSION
static double INDEXED(sparse_norm)(ptrdiff_t n_entries, const REAL *data, const INDEX *columns, int64_t row,
                                   int64_t *last_rows, double *feature_sums)
{
    double total = 0;
    int is_unique = 1;
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        is_unique &= last_rows[columns[p]] != row;
        last_rows[columns[p]] = row;
        total += (double)data[p] * data[p];
    }
    if (is_unique) return total;
    total = 0;
    for (ptrdiff_t p = 0; p < n_entries; p++) feature_sums[columns[p]] += data[p];
    for (ptrdiff_t p = 0; p < n_entries; p++) {
        const double x = feature_sums[columns[p]];
        total += x * x;
        feature_sums[columns[p]] = 0;
    }
    return total;
}

/* entry_changes for sparse rows. */
MULTIVERSION
static void INDEXED(sparse_entry_changes)(ptrdiff_t first, ptrdiff_t last, ptrdiff_t n_features, const REAL *data,
                                          const INDEX *columns, const INDEX *indptr, const int64_t *rows,
                                          const int64_t *starts, const int64_t *classes, const REAL *D, const double *b,
                                          const double *stiffness, int is_centred, double *changes)
{
    for (ptrdiff_t i = first; i < last; i++) {
        const ptrdiff_t begin = indptr[rows[i]], n = indptr[rows[i] + 1] - begin;
        double mean = 0;
        for (ptrdiff_t e = starts[i]; e < starts[i + 1]; e++) {
            const REAL *d = D + classes[e] * n_features;
            changes[e] = INDEXED(sparse_dot)(n, data + begin, columns + begin, d) + b[classes[e]];
            if (is_centred) mean += changes[e];
        }
        mean /= starts[i + 1] - starts[i];
        for (ptrdiff_t e = starts[i]; e < starts[i + 1]; e++) changes[e] = stiffness[i] * (changes[e] - mean);
    }
}

/* To the sums comes Σ_e g_e x_i, or Σ_e g_e x_i² if is_squared, over the entries of one class and all features. */
MULTIVERSION
static void INDEXED(sparse_entry_sums)(int is_squared, ptrdiff_t n_entries, const REAL *data, const INDEX *columns,
                                       const INDEX *indptr, const int64_t *rows, const int64_t *entries, const double *G,
                                       double *sums)
{
    for (ptrdiff_t e = 0; e < n_entries; e++) {
        const double g = G[entries[e]];
        for (ptrdiff_t p = indptr[rows[e]]; p < indptr[rows[e] + 1]; p++)
            sums[columns[p]] += g * (is_squared ? (double)data[p] * data[p] : data[p]);
    }
}
