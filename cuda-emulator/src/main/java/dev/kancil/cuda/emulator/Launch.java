package dev.kancil.cuda.emulator;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A grid of blocks.
 *
 * @param arguments of the kernel, as they lie in parameter memory
 * @param instructionLimit of all threads of a block; more is a launch that never ends
 */
record Launch(
    Kernel kernel,
    int gridX,
    int gridY,
    int gridZ,
    int blockX,
    int blockY,
    int blockZ,
    int dynamicSharedBytes,
    byte[] arguments,
    GlobalMemory memory,
    boolean checksRaces,
    long instructionLimit) {

  int threads() {
    return blockX * blockY * blockZ;
  }

  int warps() {
    return Math.ceilDiv(threads(), Warp.LANES);
  }

  int sharedBytes() {
    return kernel.staticSharedBytes() + dynamicSharedBytes;
  }

  /**
   * Runs all blocks.
   *
   * @param workers that take blocks in turn, one at a time
   * @return instructions times threads that ran
   * @throws KernelFault of the first block that has one
   */
  long run(Executor executor, int workers) {
    long blocks = (long) gridX * gridY * gridZ;
    int used = (int) Math.min(kernel.inOrder() ? 1 : workers, blocks);
    AtomicLong next = new AtomicLong();
    AtomicLong executed = new AtomicLong();
    AtomicReference<@Nullable KernelFault> first = new AtomicReference<>();
    // The calling thread works, too. Whatever happens: all must have ended when memory can be freed
    // again.
    CompletableFuture<?>[] running =
        IntStream.range(0, used)
            .mapToObj(
                i ->
                    CompletableFuture.runAsync(
                        () -> work(blocks, next, executed, first),
                        i < used - 1 ? executor : Runnable::run))
            .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(running).join();
    KernelFault fault = first.get();
    if (fault != null) {
      throw fault;
    }
    return executed.get();
  }

  private void work(
      long blocks,
      AtomicLong next,
      AtomicLong executed,
      AtomicReference<@Nullable KernelFault> first) {
    try (Block block = new Block(this)) {
      while (true) {
        long index = next.getAndIncrement();
        KernelFault fault = first.get();
        // Blocks before one with a fault still run, so that always the same is reported.
        if (index >= blocks || fault != null) {
          break;
        }
        try {
          executed.addAndGet(block.run(index));
        } catch (KernelFault e) {
          first.accumulateAndGet(e, KernelFault::earlier);
        }
      }
    }
  }
}
