package dev.kancil.backend.cpu;

import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** A weight matrix [rows, columns] as it lies in the file. */
record WeightRows(DataType type, MemorySegment data, int rows, int columns, long rowBytes) {
  static WeightRows of(Tensor tensor) {
    int columns = Math.toIntExact(tensor.shape().columns());
    return new WeightRows(
        tensor.type(),
        tensor.data(),
        Math.toIntExact(tensor.shape().rows()),
        columns,
        tensor.type().byteSize(columns));
  }

  /** Decodes rows into a panel whose rows are {@code stride} floats apart. */
  void decode(int first, int count, float[] panel, int stride) {
    for (int i = 0; i < count; i++) {
      Decoding.decode(type, data, (first + i) * rowBytes, panel, i * stride, columns);
    }
  }
}
