package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;

/**
 * A tensor in host memory: rows of {@code type}, innermost dimension contiguous, little-endian. It
 * does not own its memory: the segment's arena does, and must outlive every use.
 *
 * @param type how elements are stored; quantised types have whole blocks in each innermost row
 * @param shape sizes, outermost first
 * @param data exactly the tensor's bytes
 */
public record Tensor(DataType type, Shape shape, MemorySegment data) {
  /** Stands for any thread but the caller's. */
  private static final Thread OTHER = Thread.ofPlatform().unstarted(() -> {});

  public Tensor {
    long rowBytes = type.byteSize(shape.columns());
    long bytes = Math.multiplyExact(rowBytes, shape.rows());
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          type + " " + shape + " takes " + bytes + " bytes, not " + data.byteSize());
    }
  }

  /** Whether any thread may read or write a segment, not the caller's alone. */
  public static boolean isEverybodys(MemorySegment segment) {
    return segment.isAccessibleBy(OTHER);
  }
}
