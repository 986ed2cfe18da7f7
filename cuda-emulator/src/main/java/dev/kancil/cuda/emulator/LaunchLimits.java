package dev.kancil.cuda.emulator;

/** What a launch may ask for (CUDA programming guide, "Technical Specifications"). */
final class LaunchLimits {
  static final int MAX_THREADS = 1024;

  /** What a kernel may use without asking. */
  static final int SHARED_BYTES = 48 << 10;

  private static final int MAX_GRID_YZ = 65_535;
  private static final int MAX_BLOCK_Z = 64;

  private LaunchLimits() {}

  static void check(Launch launch, int allowedSharedBytes) {
    String kernel = "kernel " + launch.kernel().name();
    if (launch.gridX() < 1
        || isOutside(launch.gridY(), MAX_GRID_YZ)
        || isOutside(launch.gridZ(), MAX_GRID_YZ)) {
      throw invalid(
          kernel
              + ": a grid of "
              + launch.gridX()
              + " x "
              + launch.gridY()
              + " x "
              + launch.gridZ());
    }
    if (isOutside(launch.blockX(), MAX_THREADS)
        || isOutside(launch.blockY(), MAX_THREADS)
        || isOutside(launch.blockZ(), MAX_BLOCK_Z)
        || launch.threads() > launch.kernel().maxThreads()) {
      throw invalid(
          kernel
              + ": a block of "
              + launch.blockX()
              + " x "
              + launch.blockY()
              + " x "
              + launch.blockZ()
              + " threads, at most "
              + launch.kernel().maxThreads());
    }
    int most = Math.max(allowedSharedBytes, SHARED_BYTES - launch.kernel().staticSharedBytes());
    if (launch.dynamicSharedBytes() < 0 || launch.dynamicSharedBytes() > most) {
      throw invalid(
          kernel
              + ": "
              + launch.dynamicSharedBytes()
              + " bytes of shared memory, besides "
              + launch.kernel().staticSharedBytes()
              + " of its own; at most "
              + most);
    }
    if (launch.arguments().length != launch.kernel().parameterBytes()) {
      throw invalid(
          kernel
              + ": "
              + launch.arguments().length
              + " bytes of arguments, it takes "
              + launch.kernel().parameterBytes());
    }
  }

  /** Whether a kernel may be allowed so much dynamic shared memory. */
  static void checkShared(Kernel kernel, int bytes, int most) {
    if (bytes < 0 || bytes > most - kernel.staticSharedBytes()) {
      throw invalid(
          "kernel "
              + kernel.name()
              + ": "
              + bytes
              + " bytes of shared memory, besides "
              + kernel.staticSharedBytes()
              + " of its own; at most "
              + most
              + " in all");
    }
  }

  private static boolean isOutside(int size, int most) {
    return size < 1 || size > most;
  }

  private static RuntimeException invalid(String message) {
    return CudaError.INVALID_VALUE.exception(message);
  }
}
