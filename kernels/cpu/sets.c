// Which of the instruction sets that kernels are compiled for this processor and its system have.

#if defined(__x86_64__) && defined(HAS_TILES)
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define TILE_CONFIGURATION 17
#define TILE_DATA 18
#define GIVE_STATE 0x1023

// Tiles, of bytes and of BF16, and a system that keeps them for each thread.
static int has_tiles(void) {
#ifdef TILES_STAND_IN
  return 1;
#else
  // The set below is that of BF16.
  if (!__builtin_cpu_supports("avx512bf16")) {
    return 0;
  }
  unsigned a, b, c, d, low, high, wanted = 1u << 22 | 1u << 24 | 1u << 25;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & wanted) != wanted || !__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) {
    return 0;
  }
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  wanted = 1u << TILE_CONFIGURATION | 1u << TILE_DATA;
  return (low & wanted) == wanted;
#endif
}
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <stddef.h>
#include <sys/sysctl.h>

static int has(const char *feature) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(feature, &value, &size, NULL, 0) == 0 && value != 0;
}
#endif

#define EXPORT __attribute__((visibility("default")))

// A bit for each: 1 plain, 2 avx2, 4 avx512, 8 avx512vnni, 16 avx512bf16, 32 dotprod, 64 i8mm, 128 amx.
EXPORT int kancil_instruction_sets(void) {
  int sets = 1;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2")) {
    sets |= 2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")) {
      sets |= 4;
      if (__builtin_cpu_supports("avx512vnni")) {
        sets |= 8;
        if (__builtin_cpu_supports("avx512bf16")) {
          sets |= 16;
        }
#ifdef HAS_TILES
        if (has_tiles()) {
          sets |= 128;
        }
#endif
      }
    }
  }
#elif defined(__aarch64__) && defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) {
    sets |= getauxval(AT_HWCAP2) & HWCAP2_I8MM ? 32 | 64 : 32;
  }
#elif defined(__aarch64__) && defined(__APPLE__)
  if (has("hw.optional.arm.FEAT_DotProd")) {
    sets |= has("hw.optional.arm.FEAT_I8MM") ? 32 | 64 : 32;
  }
#endif
#ifdef TILES_STAND_IN
  // It is built with plain C and the set below alone.
  sets &= 1 | 128;
#endif
  return sets;
}

// Asks the system that threads of this process may have tiles, before any uses them: 0, or what it says instead. Signals take more of their stacks then.
EXPORT int kancil_ask_for_tiles(void) {
#if defined(HAS_TILES) && defined(__linux__) && !defined(TILES_STAND_IN)
  return (int)syscall(SYS_arch_prctl, GIVE_STATE, TILE_DATA);
#else
  return 0;
#endif
}
