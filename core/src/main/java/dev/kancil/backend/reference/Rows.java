package dev.kancil.backend.reference;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Rows of values and weights as arrays. */
final class Rows {
  private Rows() {}

  static float get(MemorySegment data, long index) {
    return data.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  static void set(MemorySegment data, long index, float value) {
    data.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
  }

  static int index(MemorySegment data, long index) {
    return data.getAtIndex(ValueLayout.JAVA_INT, index);
  }

  static float[] read(HostValue value, HostStep step, int row) {
    float[] target = new float[value.columns()];
    MemorySegment.copy(
        value.data(step),
        ValueLayout.JAVA_FLOAT,
        row * value.type().rowBytes(),
        target,
        0,
        target.length);
    return target;
  }

  static void write(HostValue value, HostStep step, int row, float[] source) {
    MemorySegment.copy(
        source,
        0,
        value.data(step),
        ValueLayout.JAVA_FLOAT,
        row * value.type().rowBytes(),
        source.length);
  }

  /** Row {@code row} of a weight as float32. */
  static float[] decode(Tensor tensor, long row) {
    int columns = Math.toIntExact(tensor.shape().columns());
    float[] target = new float[columns];
    Blocks.decode(
        tensor.type(), tensor.data(), row * tensor.type().byteSize(columns), target, 0, columns);
    return target;
  }
}
