package dev.kancil.family;

import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A weight that was found, and how its tensor comes about: a view of the file where that can be, or
 * else made each time that it is asked for, in memory that is freed when nobody has it any more.
 *
 * @param name unique among a model's weights
 * @param order the numbers of x's columns that the weight's columns are for; null for x's own order
 */
record PlacedWeight(
    String name, DataType type, Shape shape, @Nullable Weight order, Supplier<Tensor> tensor) {
  /** One whose columns are in order. */
  PlacedWeight(String name, DataType type, Shape shape, Supplier<Tensor> tensor) {
    this(name, type, shape, null, tensor);
  }

  /** One that is written when it is asked for, into memory of its size. */
  static PlacedWeight made(
      String name,
      DataType type,
      Shape shape,
      @Nullable Weight order,
      Consumer<MemorySegment> write) {
    return new PlacedWeight(
        name,
        type,
        shape,
        order,
        () -> {
          long bytes = Math.multiplyExact(type.byteSize(shape.columns()), shape.rows());
          MemorySegment to = Arena.ofAuto().allocate(bytes, 64);
          write.accept(to);
          return new Tensor(type, shape, to);
        });
  }

  /** Rows, or numbers of a vector, from {@code first} on. */
  PlacedWeight rows(long first, Shape of) {
    return new PlacedWeight(
        name + "[" + first + ".." + (first + of.dimension(0)) + "]",
        type,
        of,
        order,
        () -> {
          long row = rowBytes();
          return new Tensor(
              type, of, tensor.get().data().asSlice(first * row, of.dimension(0) * row));
        });
  }

  private long rowBytes() {
    return shape.rank() == 1 ? type.byteSize(1) : type.byteSize(shape.columns());
  }

  /** {@code each} rows of each {@code group} rows, from the group's {@code first} on. */
  PlacedWeight rowsOfGroups(long first, long each, long group, Shape of) {
    return made(
        name + "[" + first + ".." + (first + each) + " of " + group + "]",
        type,
        of,
        order,
        to -> {
          MemorySegment from = tensor.get().data();
          long row = rowBytes();
          for (long i = 0; i < of.dimension(0) / each; i++) {
            MemorySegment.copy(from, (i * group + first) * row, to, i * each * row, each * row);
          }
        });
  }

  /**
   * Rows in another order.
   *
   * @param name what tells it from the same weight in other orders
   * @param from for each new row the old one
   */
  PlacedWeight reordered(String name, LongUnaryOperator from) {
    return made(
        this.name + "[" + name + "]",
        type,
        shape,
        order,
        to -> {
          MemorySegment source = tensor.get().data();
          long row = rowBytes();
          for (long i = 0; i < shape.dimension(0); i++) {
            MemorySegment.copy(source, from.applyAsLong(i) * row, to, i * row, row);
          }
        });
  }

  /** The other way round: a matrix, or each of several. */
  PlacedWeight transposed(Shape of) {
    if (type.isQuantized()) {
      // Blocks lie along rows.
      return floats().transposed(of);
    }
    return made(
        name + "[transposed]",
        type,
        of,
        null,
        to -> {
          MemorySegment from = tensor.get().data();
          long rows = of.dimension(-2);
          long columns = of.columns();
          long bytes = rows * columns * type.blockBytes();
          for (long at = 0; at < to.byteSize(); at += bytes) {
            transpose(from.asSlice(at, bytes), to.asSlice(at, bytes), rows, columns);
          }
        });
  }

  private void transpose(MemorySegment from, MemorySegment to, long rows, long columns) {
    int size = type.blockBytes();
    for (long row = 0; row < rows; row++) {
      for (long column = 0; column < columns; column++) {
        long source = (column * rows + row) * size;
        long target = (row * columns + column) * size;
        if (size == 2) {
          to.set(
              ValueLayout.JAVA_SHORT_UNALIGNED,
              target,
              from.get(ValueLayout.JAVA_SHORT_UNALIGNED, source));
        } else {
          MemorySegment.copy(from, source, to, target, size);
        }
      }
    }
  }

  /** The same numbers in another shape. */
  PlacedWeight shaped(Shape of) {
    if (of.equals(shape)) {
      return this;
    }
    return new PlacedWeight(name, type, of, () -> new Tensor(type, of, tensor.get().data()));
  }

  /** In float32, with 1 added. */
  PlacedWeight plusOne() {
    return floats(name + "+1", 1);
  }

  /** In float32. */
  PlacedWeight floats() {
    return floats(name, 0);
  }

  private PlacedWeight floats(String newName, float added) {
    return made(
        newName,
        DataType.F32,
        shape,
        null,
        to -> {
          float[] values = Blocks.decode(tensor.get());
          for (int i = 0; i < values.length; i++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, values[i] + added);
          }
        });
  }

  /** One after the other, all of one type. */
  static PlacedWeight stacked(String name, List<PlacedWeight> parts, Shape of) {
    return made(
        name,
        parts.getFirst().type,
        of,
        null,
        to -> {
          long at = 0;
          for (PlacedWeight part : parts) {
            MemorySegment from = part.tensor.get().data();
            MemorySegment.copy(from, 0, to, at, from.byteSize());
            at += from.byteSize();
          }
        });
  }

  /** See {@link WeightPlace.Microscaled}. */
  static PlacedWeight microscaled(String name, Tensor blocks, Tensor scales, Shape of) {
    return made(
        name, DataType.MXFP4, of, null, to -> Microscaling.pack(blocks.data(), scales.data(), to));
  }

  /** Numbers that no file has. */
  static PlacedWeight constant(String name, List<Float> values) {
    return made(
        name,
        DataType.F32,
        Shape.of(values.size()),
        null,
        to -> {
          for (int i = 0; i < values.size(); i++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, values.get(i));
          }
        });
  }

  /** See {@link WeightPlace.Sinusoids}. */
  static PlacedWeight sinusoids(Shape of) {
    long columns = of.columns();
    long sines = (columns + 1) / 2;
    return made(
        "sinusoids " + of,
        DataType.F32,
        of,
        null,
        to -> {
          for (long i = 0; i < of.elements(); i++) {
            long column = i % columns;
            long pair = column < sines ? column : column - sines;
            double angle = i / columns / Math.pow(10_000, 2.0 * pair / columns);
            double value = column < sines ? Math.sin(angle) : Math.cos(angle);
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
          }
        });
  }

  /** Whole numbers that no file has. */
  static PlacedWeight wholes(String name, int[] values) {
    return made(
        name,
        DataType.I32,
        Shape.of(values.length),
        null,
        to -> MemorySegment.copy(values, 0, to, ValueLayout.JAVA_INT, 0, values.length));
  }
}
