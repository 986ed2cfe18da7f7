package dev.kancil.bindings.cuda;

/** Attributes of a device (CUdevice_attribute of cuda.h). */
public enum DeviceAttribute {
  MAX_THREADS_PER_BLOCK(1),
  MAX_SHARED_MEMORY_PER_BLOCK(8),
  WARP_SIZE(10),
  MULTIPROCESSOR_COUNT(16),
  /** In bytes. */
  L2_CACHE_SIZE(38),
  MAX_THREADS_PER_MULTIPROCESSOR(39),
  COMPUTE_CAPABILITY_MAJOR(75),
  COMPUTE_CAPABILITY_MINOR(76),
  /** In bytes, of all blocks that run on one together. */
  MAX_SHARED_MEMORY_PER_MULTIPROCESSOR(81),
  MAX_SHARED_MEMORY_PER_BLOCK_OPTIN(97);

  private final int number;

  DeviceAttribute(int number) {
    this.number = number;
  }

  /** Its number in cuda.h. */
  public int number() {
    return number;
  }
}
