package dev.kancil.backend.cpu;

import java.util.Locale;

/** What native kernels are compiled for, from the plainest on. */
enum InstructionSet {
  PLAIN("plain C", 1),
  AVX2("AVX2", 2),
  AVX512("AVX-512", 4),
  AVX512VNNI("AVX-512 VNNI", 8),
  AVX512BF16("AVX-512 VNNI and BF16", 16),
  DOTPROD("NEON with dot products", 32),
  I8MM("NEON with dot products and I8MM", 64);

  /** As people know it. */
  final String label;

  private final int bit;

  /**
   * @param bit what stands for it in sets.c
   */
  InstructionSet(String label, int bit) {
    this.label = label;
    this.bit = bit;
  }

  /** As the ends of its functions' names, and as the property takes it. */
  String suffix() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether a set is among those that a bit each stands for. */
  boolean isIn(int bits) {
    return (bits & bit) != 0;
  }
}
