package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.DeviceAttribute;

/**
 * What kernels' shapes depend on.
 *
 * @param capability that kernels are compiled for, at most the device's: 90 for 9.0
 * @param units multiprocessors; 0 if kernels are to be made for devices with any number of them
 * @param sharedBytesPerBlock the most shared memory that a block can have
 * @param mayMultiplyExperts whether experts' products are among those for which four warps multiply
 *     together, where they do
 */
record CudaTraits(int capability, int units, int sharedBytesPerBlock, boolean mayMultiplyExperts) {
  static CudaTraits of(CudaDriver driver, int index, boolean mayMultiplyExperts) {
    return new CudaTraits(
        capability(driver, index),
        driver.attribute(index, DeviceAttribute.MULTIPROCESSOR_COUNT),
        driver.attribute(index, DeviceAttribute.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        mayMultiplyExperts);
  }

  /** A device's compute capability: 90 for 9.0. */
  static int capability(CudaDriver driver, int index) {
    return 10 * driver.attribute(index, DeviceAttribute.COMPUTE_CAPABILITY_MAJOR)
        + driver.attribute(index, DeviceAttribute.COMPUTE_CAPABILITY_MINOR);
  }

  /** Whether tensor cores multiply bfloat16. */
  boolean hasBfloats() {
    return capability >= 80;
  }

  /** Whether four warps multiply together: later devices do it by other instructions. */
  boolean hasWarpgroups() {
    return capability == 90;
  }

  /** Whether they do so with experts' matrices, too. */
  boolean hasExpertWarpgroups() {
    return hasWarpgroups() && mayMultiplyExperts;
  }

  /** What NVRTC compiles for, behind {@code sm_} or {@code compute_}. */
  String architecture() {
    return capability + (hasWarpgroups() ? "a" : "");
  }

  /**
   * Whether launches may overlap. All kernels are made for it: they wait before they touch what
   * others write.
   */
  boolean startsEarly() {
    return capability >= 90;
  }
}
