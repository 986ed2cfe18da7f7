package dev.kancil.backend.cuda;

import dev.kancil.UnsupportedException;
import dev.kancil.graph.op.TapFunction;
import java.lang.foreign.MemorySegment;

/**
 * A tap whose work runs on the device, where the value lies: nothing is copied to the host, and
 * nobody waits. See {@link dev.kancil.graph.Taps#call}.
 */
public record CudaTap(Work work) implements TapFunction {
  /** What a tap does. */
  @FunctionalInterface
  public interface Work {
    /**
     * Enqueues work that reads the value or changes it in place. Called on the device's thread with
     * its context current, once a step that has rows. What it throws fails the step.
     *
     * @param value the {@code CUdeviceptr} of the value, rows · columns float32 in C order; the
     *     device's as soon as the enqueued work is done
     * @param stream the {@code CUstream} on which the value is computed before and read behind
     * @param rows rows in this step
     * @param columns elements of a row
     */
    void enqueue(long value, long stream, int rows, int columns);
  }

  /** What devices of other kinds call. */
  @Override
  public void apply(MemorySegment data, int rows, int columns) {
    throw new UnsupportedException("this tap sees values of CUDA devices alone");
  }
}
