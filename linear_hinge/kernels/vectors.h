/* Definitions for all loops: vectors of the machine, where the compiler has them, and names for several types.
 *
 * Each MULTIVERSION function is compiled for several instruction sets where the compiler can do so, and one of them is
 * chosen at run time.
 */

#ifndef LINEAR_HINGE_VECTORS
#define LINEAR_HINGE_VECTORS
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
#if defined(_OPENMP) && defined(__GNUC__)
#define PRAGMA(text) _Pragma(#text)
#define SIMD(clauses) PRAGMA(omp simd clauses)
#else
#define SIMD(clauses)
#endif
#define LINE_BYTES 64
#if VECTOR_BYTES
typedef double wide_vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(double)), may_alias));
#define WIDE_LANES ((ptrdiff_t)(VECTOR_BYTES / sizeof(double)))
#else
typedef double wide_vector;
#define WIDE_LANES 1
#endif
#define CONCAT_(a, b) a##_##b
#define CONCAT(a, b) CONCAT_(a, b)

/* a b + c, rounded once. The compiler alone would round twice in some loops and once in others, so that int32 and int64
 * indices gave different bits. */
#include <math.h>
INLINE float fused_float(float a, float b, float c) { return fmaf(a, b, c); }
INLINE double fused_double(double a, double b, double c) { return fma(a, b, c); }

#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define SMALLER(a, b) ((a) < (b) ? (a) : (b))

/* Fetch `n_bytes` bytes from an address on. */
INLINE void fetch(const void *start, ptrdiff_t n_bytes)
{
    for (ptrdiff_t byte = 0; byte < n_bytes; byte += LINE_BYTES) PREFETCH((const char *)start + byte);
}
#endif

