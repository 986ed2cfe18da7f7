package dev.kancil.backend.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.kancil.backend.host.NativeMemory;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** Functions of rows in native kernels (rows.h). */
// Native access is what this class is for.
@SuppressWarnings("restricted")
final class NativeRows implements RowKernels {
  private static final FunctionDescriptor ROW_FUNCTION =
      FunctionDescriptor.of(
          JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_FLOAT, JAVA_INT);
  private static final FunctionDescriptor ARRAY_FUNCTION =
      FunctionDescriptor.of(
          JAVA_FLOAT, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_FLOAT, JAVA_FLOAT, ADDRESS, ADDRESS);

  private static final Longs NOTHING = Longs.of(0);

  private final NativeLibrary library;
  private final MethodHandle add;
  private final MethodHandle scale;
  private final MethodHandle clamp;
  private final MethodHandle softCap;
  private final MethodHandle activate;
  private final MethodHandle glu;
  private final MethodHandle clampedGlu;
  private final MethodHandle rmsNorm;
  private final MethodHandle layerNorm;
  private final MethodHandle weightedSum;
  private final MethodHandle likeliest;
  private final MethodHandle turn;
  private final MethodHandle toHalves;
  private final MethodHandle toBrainFloats;
  private final MethodHandle toE4M3;
  private final ArrayFunction exponentials = new ArrayFunction("exponentials");
  private final ArrayFunction tangents = new ArrayFunction("tangents");
  private final ArrayFunction largest = new ArrayFunction("largest");
  private final ArrayFunction sampleWeights = new ArrayFunction("sample_weights");
  private final MemorySegment exp2;

  NativeRows(NativeLibrary library) {
    this.library = library;
    add = library.function("add", ROW_FUNCTION);
    scale = library.function("scale", ROW_FUNCTION);
    clamp = library.function("clamp", ROW_FUNCTION);
    softCap = library.function("soft_cap", ROW_FUNCTION);
    activate = library.function("activate", ROW_FUNCTION);
    glu = library.function("glu", ROW_FUNCTION);
    clampedGlu = library.function("clamped_glu", ROW_FUNCTION);
    rmsNorm = library.function("rms_norm", ROW_FUNCTION);
    layerNorm = library.function("layer_norm", ROW_FUNCTION);
    weightedSum = library.function("weighted_sum", ROW_FUNCTION);
    likeliest = library.function("likeliest", ROW_FUNCTION);
    turn = library.function("turn", ROW_FUNCTION);
    toHalves = library.function("to_halves", ROW_FUNCTION);
    toBrainFloats = library.function("to_brain_floats", ROW_FUNCTION);
    toE4M3 = library.function("to_e4m3", ROW_FUNCTION);
    exp2 = NativeMemory.allocate(4L * Sample.EXP2.size(), Arena.ofAuto(), "coefficients");
    for (int i = 0; i < Sample.EXP2.size(); i++) {
      exp2.setAtIndex(JAVA_FLOAT, i, Sample.EXP2.get(i));
    }
  }

  /** What stands for an activation in rows.h. */
  private static int number(Activation activation) {
    return switch (activation) {
      case SILU -> 0;
      case GELU -> 1;
      case GELU_TANH -> 2;
      case QUICK_GELU -> 3;
      case RELU -> 4;
      case RELU_SQUARED -> 5;
    };
  }

  private static int call(
      MethodHandle function, long x, long other, long y, long count, float parameter, int kind) {
    try {
      return (int) function.invokeExact(x, other, y, count, parameter, kind);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void add(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long to, int count) {
    call(add, a.address() + aAt, b.address() + bAt, y.address() + to, count, 0, 0);
  }

  @Override
  public void scale(MemorySegment x, long at, float factor, MemorySegment y, long to, int count) {
    call(scale, x.address() + at, 0, y.address() + to, count, factor, 0);
  }

  @Override
  public void rmsNorm(
      MemorySegment x, long at, MemorySegment weight, float epsilon, MemorySegment y, long to) {
    long count = weight.byteSize() / 4;
    call(rmsNorm, x.address() + at, weight.address(), y.address() + to, count, epsilon, 0);
  }

  @Override
  public void layerNorm(
      MemorySegment x,
      long at,
      MemorySegment weightAndBias,
      float epsilon,
      MemorySegment y,
      long to) {
    long count = weightAndBias.byteSize() / 8;
    call(layerNorm, x.address() + at, weightAndBias.address(), y.address() + to, count, epsilon, 0);
  }

  @Override
  public void weightedSum(
      MemorySegment x,
      long at,
      MemorySegment weights,
      long weightsAt,
      int slots,
      MemorySegment y,
      long to,
      int count) {
    long factors = weights.address() + weightsAt;
    call(weightedSum, x.address() + at, factors, y.address() + to, count, 0, slots);
  }

  @Override
  public void apply(
      Op op,
      MemorySegment a,
      @Nullable MemorySegment b,
      MemorySegment y,
      long at,
      int count,
      int thread) {
    long x = a.address() + at;
    long other = b == null ? 0 : b.address() + at;
    long to = y.address() + at;
    switch (op) {
      case Add _ -> call(add, x, other, to, count, 0, 0);
      case Scale(float factor) -> call(scale, x, 0, to, count, factor, 0);
      case Clamp(float limit) -> call(clamp, x, 0, to, count, limit, 0);
      case SoftCap(float cap) -> call(softCap, x, 0, to, count, cap, 0);
      case Activate(var activation) -> call(activate, x, 0, to, count, 0, number(activation));
      case Glu(var activation) -> call(glu, x, other, to, count, 0, number(activation));
      case ClampedGlu(var activation, float limit) ->
          call(clampedGlu, x, other, to, count, limit, number(activation));
      default -> throw new IllegalStateException(op.name());
    }
  }

  /** {@code gate = activation(gate) · up}, at addresses. */
  void glu(Activation activation, long gate, long up, int count) {
    call(glu, gate, up, gate, count, 0, number(activation));
  }

  @Override
  public int likeliest(MemorySegment logits, long at, int count) {
    return call(likeliest, logits.address() + at, 0, 0, count, 0, 0);
  }

  /** Bound when it is first called, which few models and samplers do; twice does no harm. */
  private final class ArrayFunction {
    private final String name;
    private @Nullable MethodHandle handle;

    ArrayFunction(String name) {
      this.name = name;
    }

    float call(Floats x, int from, int count, float parameter, float second, Longs results) {
      MethodHandle bound = handle;
      if (bound == null) {
        // Arrays stay where they are meanwhile.
        bound = library.function(name, ARRAY_FUNCTION, Linker.Option.critical(true));
        handle = bound;
      }
      try {
        return (float)
            bound.invokeExact(
                x.view(), (long) from, (long) count, parameter, second, exp2, results.view());
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public void exp(Floats x, int from, int count, float minus) {
    exponentials.call(x, from, count, minus, 0, NOTHING);
  }

  @Override
  public void tanh(Floats x, int from, Floats room, int roomFrom, int count) {
    tangents.call(x, from, count, 0, 0, NOTHING);
  }

  @Override
  public float largest(Floats x, int from, int count) {
    return largest.call(x, from, count, 0, 0, NOTHING);
  }

  @Override
  public void sampleWeights(
      Floats x, int from, int count, float most, float scale, int[] room, Longs weights) {
    sampleWeights.call(x, from, count, most, scale, weights);
  }

  @Override
  public void turn(
      RotaryEmbedding rotary,
      int pairs,
      MemorySegment angles,
      long anglesAt,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to,
      int columns) {
    int kind = rotary.pairing() == RotaryEmbedding.Pairing.NEIGHBOURS ? -pairs : pairs;
    long table = angles.address() + anglesAt;
    call(turn, x.address() + at, table, y.address() + to, columns, rotary.headWidth(), kind);
  }

  @Override
  public void encode(
      DataType type,
      MemorySegment x,
      long at,
      MemorySegment cache,
      long to,
      int columns,
      float[] row) {
    switch (type) {
      case F16 -> call(toHalves, x.address() + at, 0, cache.address() + to, columns, 0, 0);
      case BF16 -> call(toBrainFloats, x.address() + at, 0, cache.address() + to, columns, 0, 0);
      case F8_E4M3 -> call(toE4M3, x.address() + at, 0, cache.address() + to, columns, 0, 0);
      default -> RowKernels.super.encode(type, x, at, cache, to, columns, row);
    }
  }

  @Override
  public void decode(DataType type, MemorySegment source, long at, float[] row, int elements) {
    Blocks.decode(type, source, at, row, 0, elements);
  }
}
