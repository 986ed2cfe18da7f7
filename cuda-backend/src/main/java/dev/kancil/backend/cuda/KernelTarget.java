package dev.kancil.backend.cuda;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What kernels are compiled to PTX for, and which devices take it: from it their driver makes what
 * they run. Which kernels a model needs depends on this and on how much shared memory a block of
 * the device can have, but on nothing else of the device.
 */
enum KernelTarget {
  /** Turing. */
  COMPUTE_75(75, false),
  /** Ampere, and what came after it. */
  COMPUTE_80(80, false),
  /** Hopper, whose products of four warps no other has. */
  COMPUTE_90A(90, true);

  /** The oldest CUDA version whose drivers take the PTX. */
  static final int DRIVER_VERSION = 12_000;

  private final int capability;
  private final boolean isExact;

  KernelTarget(int capability, boolean isExact) {
    this.capability = capability;
    this.isExact = isExact;
  }

  /** The compute capability that kernels are for: 80 for 8.0. */
  int capability() {
    return capability;
  }

  /** As NVRTC calls it. */
  String architecture() {
    return "compute_" + suffix();
  }

  /** As a person calls it: 80, or 90a. */
  String suffix() {
    return capability + (isExact ? "a" : "");
  }

  /** The target that a person calls so; empty if there is none. */
  static Optional<KernelTarget> named(String suffix) {
    return Arrays.stream(values()).filter(target -> target.suffix().equals(suffix)).findFirst();
  }

  /**
   * Shared memory of blocks for which kernels differ, in bytes, ascending. Of those that run what
   * is for 8.0, the first is what 8.6, 8.9 and 12.0 have, the second 8.0 and 8.7, the third 10.0.
   */
  List<Integer> sharedBytes() {
    return switch (this) {
      case COMPUTE_75 -> List.of(64 << 10);
      case COMPUTE_80 -> List.of(99 << 10, 163 << 10, 227 << 10);
      case COMPUTE_90A -> List.of(227 << 10);
    };
  }

  private boolean runsOn(int deviceCapability) {
    return isExact ? capability == deviceCapability : capability <= deviceCapability;
  }

  /**
   * The best of some targets for a device; empty if it takes none.
   *
   * @param deviceCapability 86 for 8.6
   */
  static Optional<KernelTarget> best(int deviceCapability, Collection<KernelTarget> targets) {
    return targets.stream()
        .filter(target -> target.runsOn(deviceCapability))
        .max(Comparator.naturalOrder());
  }

  /** A device as kernels for this target see it. */
  CudaTraits traits(CudaTraits device) {
    int shared =
        sharedBytes().stream()
            .filter(bytes -> bytes <= device.sharedBytesPerBlock())
            .max(Comparator.naturalOrder())
            .orElse(device.sharedBytesPerBlock());
    return new CudaTraits(capability, device.units(), shared, device.mayMultiplyExperts());
  }
}
