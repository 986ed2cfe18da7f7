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
  I8MM("NEON with dot products and I8MM", 64),
  /** Has products of many rows alone; all else is {@link #AVX512BF16}'s. */
  AMX("AMX", 128);

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

  /**
   * The set whose function of a name stands in where this one has none; itself where it has all.
   */
  InstructionSet below() {
    return this == AMX ? AVX512BF16 : this;
  }

  /**
   * Whether it is taken without being named. AMX has run on no processor yet, only as its stand-in
   * in C.
   */
  boolean isOfferedUnasked() {
    return this != AMX;
  }

  /** Whether a set is among those that a bit each stands for. */
  boolean isIn(int bits) {
    return (bits & bit) != 0;
  }
}
