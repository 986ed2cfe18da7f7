// What four warps multiply together (compute capability 9.0, `wgmma`): 64 rows of weights, 16 a warp in registers as A fragments
// (matrix_units.h), with TOKENS rows of activations in shared memory, 16 numbers deep; sums are C fragments, one for 8 tokens.
// It goes on while the threads do other things. Invariants: all 128 threads call all of it; from multiply_tokens on until wait_for_products
// lets its group be done nobody touches its sums, its weights' registers and the activations; what cp.async or threads wrote to shared
// memory is seen only behind publish_to_products of who wrote it, then a barrier.
// Activations lie in rows of 64 numbers (128 bytes), at a multiple of 1,024 bytes, and units of 16 bytes are exchanged by the row's number.

#ifndef WARPGROUPS_H
#define WARPGROUPS_H

#include "matrix_units.h"

static inline void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
static inline void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
static inline void publish_to_products() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Until at most N groups are under way.
template <int N>
static inline void wait_for_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" : : "n"(N) : "memory");
}

// Registers have their numbers before begin_products, which orders them for the hardware: compilers would compute them later.
static inline void settle(a_fragment &a) {
  asm volatile("" : "+r"(a.pair[0]), "+r"(a.pair[1]), "+r"(a.pair[2]), "+r"(a.pair[3]));
}

static inline void settle(c_fragment &c) { asm volatile("" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])); }

// Where the hardware finds rows of activations from column 16 · step of their 64 on.
static inline ulong activations_at(const uchar *rows, int step) {
  constexpr ulong EIGHT_ROWS = 1024 >> 4, EXCHANGED_OVER_128_BYTES = 1;
  uint address = (uint)__cvta_generic_to_shared(rows) + 32 * step;
  return (address >> 4 & 0x3fff) | (ulong)1 << 16 | EIGHT_ROWS << 32 | EXCHANGED_OVER_128_BYTES << 62;
}

#define SUMS_OF_64_TOKENS \
  "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"

#define SUMS_OF_128_TOKENS \
  "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31," \
  "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"

#define SUM(c) "+f"((c)[0]), "+f"((c)[1]), "+f"((c)[2]), "+f"((c)[3])
#define SUMS_4(c) SUM((c)[0]), SUM((c)[1]), SUM((c)[2]), SUM((c)[3])
#define SUMS_8(c) SUMS_4(c), SUMS_4((c) + 4)
#define SUMS_16(c) SUMS_8(c), SUMS_8((c) + 8)

#define MULTIPLY_64(type)                                                                                                \
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." type "." type " " SUMS_OF_64_TOKENS                         \
               "}, {%32,%33,%34,%35}, %36, 1, 1, 1, 0;"                                                                  \
               : SUMS_8(sums)                                                                                            \
               : "r"(a.pair[0]), "r"(a.pair[1]), "r"(a.pair[2]), "r"(a.pair[3]), "l"(b))

#define MULTIPLY_128(type)                                                                                               \
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." type "." type " " SUMS_OF_128_TOKENS                       \
               "}, {%64,%65,%66,%67}, %68, 1, 1, 1, 0;"                                                                  \
               : SUMS_16(sums)                                                                                           \
               : "r"(a.pair[0]), "r"(a.pair[1]), "r"(a.pair[2]), "r"(a.pair[3]), "l"(b))

#define MULTIPLY_256(type)                                                                                               \
  asm volatile("wgmma.mma_async.sync.aligned.m64n256k16.f32." type "." type " " SUMS_OF_128_TOKENS                       \
               ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79,%80,%81,%82,%83,%84,%85,%86,%87,"       \
               "%88,%89,%90,%91,%92,%93,%94,%95,%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,"      \
               "%110,%111,%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"               \
               "}, {%128,%129,%130,%131}, %132, 1, 1, 1, 0;"                                                             \
               : SUMS_16(sums), SUMS_16(sums + 16)                                                                       \
               : "r"(a.pair[0]), "r"(a.pair[1]), "r"(a.pair[2]), "r"(a.pair[3]), "l"(b))

template <bool BFLOATS>
static inline void multiply_tokens(c_fragment (&sums)[8], const a_fragment &a, ulong b) {
  if constexpr (BFLOATS) {
    MULTIPLY_64("bf16");
  } else {
    MULTIPLY_64("f16");
  }
}

template <bool BFLOATS>
static inline void multiply_tokens(c_fragment (&sums)[16], const a_fragment &a, ulong b) {
  if constexpr (BFLOATS) {
    MULTIPLY_128("bf16");
  } else {
    MULTIPLY_128("f16");
  }
}

template <bool BFLOATS>
static inline void multiply_tokens(c_fragment (&sums)[32], const a_fragment &a, ulong b) {
  if constexpr (BFLOATS) {
    MULTIPLY_256("bf16");
  } else {
    MULTIPLY_256("f16");
  }
}

#endif
