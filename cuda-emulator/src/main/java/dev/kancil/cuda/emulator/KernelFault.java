package dev.kancil.cuda.emulator;

import org.jspecify.annotations.Nullable;

/** Why a kernel was stopped. */
final class KernelFault extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final CudaError error;
  private final long block;

  KernelFault(CudaError error, long block, String message) {
    super(message, null, false, false);
    this.error = error;
    this.block = block;
  }

  CudaError error() {
    return error;
  }

  static KernelFault earlier(@Nullable KernelFault one, KernelFault other) {
    return one != null && one.block <= other.block ? one : other;
  }
}
