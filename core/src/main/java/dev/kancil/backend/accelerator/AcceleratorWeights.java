package dev.kancil.backend.accelerator;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.WeightSource;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import dev.kancil.tensor.Widening;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Weights on a device, each brought when a program first needs it. Where the device shares the
 * host's memory they are computed from where they lie. Types without kernels become such as have
 * some and hold the same ({@link Widening}), or else float32, as do vectors. A matrix larger than
 * one buffer can be lies in several, whole rows each, and where there are matrices of experts,
 * whole experts.
 */
public final class AcceleratorWeights implements DeviceWeights {
  /** Elements that are decoded at a time. */
  private static final int PIECE = 1 << 20;

  private final DeviceMemory memory;
  private final WeightSource source;
  private final MatrixLayout layout;
  private final Map<String, Matrix> matrices = new HashMap<>();
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  // Of what the device reads from the host's memory and is not the source's.
  private final List<Arena> shared = new ArrayList<>();
  private LongConsumer loaded = _ -> {};
  private long bytes;
  private boolean closed;

  /**
   * Rows of a matrix in one buffer.
   *
   * @param at where in the buffer they begin, in bytes
   */
  public record Part(DeviceBuffer buffer, long at, int firstRow, int rows) {}

  /**
   * A matrix as kernels find it.
   *
   * @param type in which it lies there
   * @param parts in the order of rows
   */
  public record Matrix(DataType type, int columns, List<Part> parts) {}

  /** Weights that will be brought from their source. */
  public AcceleratorWeights(DeviceMemory memory, WeightSource source, MatrixLayout layout) {
    this.memory = memory;
    this.source = source;
    this.layout = layout;
  }

  /** From now on {@code listener} is told how many bytes of the source are on their way. */
  void onLoaded(LongConsumer listener) {
    loaded = listener;
  }

  /** Bytes of weights, as they are stored, that a graph reads and the device has not. */
  long missingBytes(Graph graph) {
    return graph.weights().stream()
        .filter(weight -> !matrices.containsKey(weight.name()))
        .filter(weight -> !matrices.containsKey(asFloats(weight)))
        .mapToLong(weight -> weight.type().byteSize(weight.shape().elements()))
        .sum();
  }

  /** Bytes that a graph's weights take on a device that does not share the host's memory. */
  static long bytes(Graph graph, MatrixLayout layout) {
    long bytes = 0;
    for (Weight weight : graph.weights()) {
      long elements = weight.shape().elements();
      DataType type = kept(weight.type(), layout);
      if (weight.shape().rank() == 1) {
        bytes += elements * Float.BYTES;
      } else if (layout.takes(type)) {
        bytes += layout.bytes(type, weight.shape());
      } else {
        bytes += type.byteSize(elements);
      }
    }
    return bytes;
  }

  /** A matrix in its own type where kernels compute from it directly. */
  public Matrix matrix(Weight weight) {
    return matrices.computeIfAbsent(weight.name(), _ -> bring(weight));
  }

  /** A vector as float32. */
  public DeviceBuffer floats(Weight weight) {
    Matrix matrix = matrices.computeIfAbsent(asFloats(weight), _ -> decode(tensor(weight)));
    return matrix.parts().getFirst().buffer();
  }

  private static String asFloats(Weight weight) {
    return weight.name() + " as float32";
  }

  /** A weight where the host has it. */
  public Tensor tensor(Weight weight) {
    Tensor tensor = source.tensor(weight);
    if (tensor.type() != weight.type() || !tensor.shape().equals(weight.shape())) {
      throw new IllegalArgumentException(
          weight + " is bound to " + tensor.type() + " " + tensor.shape());
    }
    return tensor;
  }

  private Matrix bring(Weight weight) {
    if (closed) {
      throw new IllegalStateException("the weights are closed");
    }
    Tensor tensor = tensor(weight);
    DataType type = tensor.type();
    if (layout.takes(type) ? layout.holds(tensor) : hasKernels(type)) {
      return bring(tensor, weight.name(), loaded);
    }
    Arena arena = Arena.ofShared();
    boolean isRead = true;
    try {
      Optional<Tensor> wide = Widening.widen(tensor, arena);
      if (wide.isEmpty()) {
        return decode(tensor);
      }
      Matrix matrix = bring(wide.get(), weight.name(), _ -> {});
      loaded.accept(tensor.data().byteSize());
      isRead = !memory.sharesHostMemory();
      return matrix;
    } finally {
      if (isRead) {
        arena.close();
      } else {
        shared.add(arena);
      }
    }
  }

  private Matrix bring(Tensor tensor, String name, LongConsumer meter) {
    int columns = Math.toIntExact(tensor.shape().columns());
    List<Part> parts = new ArrayList<>();
    if (layout.takes(tensor.type())) {
      DeviceBuffer buffer = owned(layout.lay(tensor, name, meter));
      bytes += buffer.bytes();
      int rows = Math.toIntExact(tensor.shape().elements() / columns);
      return new Matrix(tensor.type(), columns, List.of(new Part(buffer, 0, 0, rows)));
    }
    for (Rows rows : divide(tensor, tensor.type())) {
      long rowBytes = tensor.type().byteSize(columns);
      MemorySegment data = tensor.data().asSlice(rows.first() * rowBytes, rows.count() * rowBytes);
      DeviceBuffer buffer;
      if (memory.sharesHostMemory() && data.isNative()) {
        buffer = owned(memory.share(data, name));
        meter.accept(data.byteSize());
      } else {
        buffer = owned(memory.allocate(data.byteSize(), name));
        memory.load(buffer, 0, data, meter);
        bytes += buffer.bytes();
      }
      parts.add(new Part(buffer, 0, rows.first(), rows.count()));
    }
    return new Matrix(tensor.type(), columns, List.copyOf(parts));
  }

  private DeviceBuffer owned(DeviceBuffer buffer) {
    buffers.add(buffer);
    return buffer;
  }

  private static boolean hasKernels(DataType type) {
    return switch (type) {
      case F32, F16, BF16 -> true;
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, SCALED_F8, IQ4_NL, MXFP4 -> true;
      case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS -> true;
      case IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ1_S, IQ1_M -> true;
      default -> false;
    };
  }

  /** The type in which a matrix lies on the device, unless a scale is beyond it. */
  public static DataType kept(DataType type, MatrixLayout layout) {
    if (hasKernels(type) || layout.takes(type)) {
      return type;
    }
    DataType wider = Widening.of(type);
    return wider != null ? wider : DataType.F32;
  }

  private record Rows(int first, int count) {}

  private List<Rows> divide(Tensor tensor, DataType type) {
    long columns = tensor.shape().columns();
    int rows = Math.toIntExact(tensor.shape().elements() / columns);
    // Experts stay whole, so that each is in one buffer.
    long together = tensor.shape().rank() == 3 ? tensor.shape().dimension(1) : 1;
    long most = memory.largestAllocation() / (together * type.byteSize(columns)) * together;
    if (most < 1) {
      throw new DeviceException(
          "not even " + together + " rows of " + columns + " columns fit in one buffer");
    }
    List<Rows> parts = new ArrayList<>();
    for (int first = 0; first < rows; first += (int) Math.min(most, rows)) {
      parts.add(new Rows(first, (int) Math.min(most, rows - first)));
    }
    return parts;
  }

  private Matrix decode(Tensor tensor) {
    int columns = Math.toIntExact(tensor.shape().columns());
    List<Part> parts = new ArrayList<>();
    for (Rows rows : divide(tensor, DataType.F32)) {
      long elements = (long) rows.count() * columns;
      DeviceBuffer buffer = owned(memory.allocate(elements * Float.BYTES, "a decoded weight"));
      bytes += buffer.bytes();
      decode(tensor, (long) rows.first() * columns, elements, buffer);
      parts.add(new Part(buffer, 0, rows.first(), rows.count()));
    }
    return new Matrix(DataType.F32, columns, List.copyOf(parts));
  }

  private void decode(Tensor tensor, long first, long elements, DeviceBuffer target) {
    // Whole rows, so that pieces begin and end with blocks.
    long columns = tensor.shape().columns();
    int rowsAtOnce = (int) Math.max(1, PIECE / columns);
    float[] decoded = new float[Math.toIntExact(rowsAtOnce * columns)];
    MemorySegment data = MemorySegment.ofArray(decoded);
    for (long done = 0; done < elements; done += decoded.length) {
      int count = (int) Math.min(decoded.length, elements - done);
      long at = tensor.type().byteSize(first + done);
      Blocks.decode(tensor.type(), tensor.data(), at, decoded, 0, count);
      MemorySegment piece = data.asSlice(0, (long) count * Float.BYTES);
      memory.load(target, done * Float.BYTES, piece, _ -> {});
      loaded.accept(tensor.type().byteSize(count));
    }
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    closed = true;
    buffers.forEach(DeviceBuffer::close);
    buffers.clear();
    shared.forEach(Arena::close);
    shared.clear();
    matrices.clear();
  }
}
