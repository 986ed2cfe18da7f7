package dev.kancil.cuda.emulator;

import org.jspecify.annotations.Nullable;

/**
 * What a PTX text is for.
 *
 * @param capability 80 for {@code sm_80}
 * @param isExact as {@code sm_90a}: no other device runs it, and it may use what no other has
 */
record PtxTarget(int capability, boolean isExact) {
  /** What a name stands for; null if it is none. */
  static @Nullable PtxTarget of(String name) {
    if (!name.matches("sm_[0-9]{2,3}[af]?")) {
      return null;
    }
    return new PtxTarget(Integer.parseInt(name.replaceAll("[^0-9]", "")), name.endsWith("a"));
  }

  boolean runsOn(int deviceCapability) {
    return isExact ? capability == deviceCapability : capability <= deviceCapability;
  }

  @Override
  public String toString() {
    return "sm_" + capability + (isExact ? "a" : "");
  }
}
