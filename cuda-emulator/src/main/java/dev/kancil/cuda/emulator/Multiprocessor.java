package dev.kancil.cuda.emulator;

/**
 * What a multiprocessor has, and the cache that all share (CUDA programming guide, "Technical
 * Specifications"; the cache is that of the largest device).
 *
 * @param sharedBytes of all blocks together
 * @param reservedBytes of shared memory that the system takes for each block
 * @param cacheBytes of the second level, of the device
 */
record Multiprocessor(int threads, int blocks, int sharedBytes, int reservedBytes, int cacheBytes) {

  static Multiprocessor of(int computeCapability) {
    return switch (computeCapability) {
      case 75 -> new Multiprocessor(1024, 16, 64 << 10, 0, 6 << 20);
      case 80 -> new Multiprocessor(2048, 32, 164 << 10, 1024, 40 << 20);
      case 86 -> new Multiprocessor(1536, 16, 100 << 10, 1024, 6 << 20);
      case 87 -> new Multiprocessor(1536, 16, 164 << 10, 1024, 4 << 20);
      case 90, 100, 103 -> new Multiprocessor(2048, 32, 228 << 10, 1024, 50 << 20);
      default -> new Multiprocessor(1536, 24, 100 << 10, 1024, 72 << 20);
    };
  }

  /** How many blocks run at once; registers are no limit here. */
  int occupancy(int blockThreads, long blockSharedBytes) {
    int warps = Math.ceilDiv(blockThreads, Warp.LANES);
    long byThreads = threads / Warp.LANES / warps;
    long byMemory = sharedBytes / Math.max(1, blockSharedBytes + reservedBytes);
    return (int) Math.min(blocks, Math.min(byThreads, byMemory));
  }
}
