// Which of the instruction sets that kernels are compiled for this processor and its system have.

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

// A bit for each: 1 plain, 2 avx2, 4 avx512, 8 avx512vnni, 16 avx512bf16, 32 dotprod, 64 i8mm.
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
  return sets;
}
