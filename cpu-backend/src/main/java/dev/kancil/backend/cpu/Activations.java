package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * One row of x, ready for products with unpacked weights: its elements, and the sum of each 16,
 * since {@code Σ (d q + m) x = d Σ q x + m Σ x} takes the minimum out of the loop.
 *
 * <p>Filled on the device's thread before a kernel's chunks run, or by the thread whose own it is;
 * the kernels of a device share it, since they run one after the other.
 */
final class Activations {
  /** Elements of one sum: the smallest sub-block that shares a minimum or an offset. */
  static final int SUM = 16;

  private float[] x = new float[0];
  private float[] sums = new float[0];

  /** Makes room for rows of {@code columns}. */
  synchronized void reserve(int columns) {
    if (x.length < Scratch.padded(columns)) {
      x = new float[Scratch.padded(columns)];
      sums = new float[Scratch.padded(columns) / SUM];
    }
  }

  void load(MemorySegment source, int columns) {
    load(source, 0, columns);
  }

  /** Loads the row that begins at byte {@code at}. */
  void load(MemorySegment source, long at, int columns) {
    MemorySegment.copy(source, ValueLayout.JAVA_FLOAT, at, x, 0, columns);
    sum(x, columns / SUM, sums);
  }

  private static void sum(float[] x, int count, float[] sums) {
    for (int i = 0; i < count; i++) {
      FloatVector sum = FloatVector.fromArray(FLOATS, x, i * SUM);
      for (int j = LENGTH; j < SUM; j += LENGTH) {
        sum = sum.add(FloatVector.fromArray(FLOATS, x, i * SUM + j));
      }
      sums[i] = Lanes.sum(sum);
    }
  }

  /** {@code results[i] = weight[first + i] · x}; {@code decoded} has room for a row. */
  void multiply(WeightRows weight, int first, int count, float[] decoded, float[] results) {
    Dots.multiply(
        weight.type(),
        weight.data(),
        first * weight.rowBytes(),
        weight.rowBytes(),
        count,
        x,
        sums,
        weight.columns(),
        decoded,
        results);
  }
}
