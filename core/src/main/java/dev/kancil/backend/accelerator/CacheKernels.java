package dev.kancil.backend.accelerator;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.Score;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Rotations, cache writes and plain attention, which all accelerators share. */
public final class CacheKernels {
  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final KernelShapes shapes;
  private final Rooms rooms;
  private final StepInputs inputs;
  private final StepLimits limits;
  private final StateLayout layout;
  private final Function<Value, DeviceBuffer> places;
  private final Map<AngleKey, DeviceBuffer> angles = new HashMap<>();

  /** What the angles of a position depend on. */
  private record AngleKey(RotaryEmbedding rotary, List<Operand> factors) {}

  /** What the biases of an offset depend on. */
  private record BiasKey(Score.RelativeBias bias, Weight weight) {}

  private final Map<BiasKey, DeviceBuffer> biases = new HashMap<>();

  /** Kernels of a program. */
  public CacheKernels(
      LaunchMaker maker, AcceleratorWeights weights, ProgramMemory program, KernelShapes shapes) {
    this.maker = maker;
    this.weights = weights;
    this.shapes = shapes;
    rooms = program.rooms();
    inputs = program.inputs();
    limits = program.limits();
    layout = program.layout();
    places = program.places();
  }

  /** {@link dev.kancil.graph.op.Rope}. */
  public Work rope(RotaryEmbedding rotary, Node node) {
    Value x = node.value(0);
    int heads = x.type().columns() / rotary.headWidth();
    RotationShape shape = RotationShape.of(rotary, shapes.vector());
    Map<String, String> defines = rotaryDefines(rotary);
    defines.put("HEADS", String.valueOf(heads));
    defines.put("VECTOR", String.valueOf(shape.vector()));
    return maker.launch(
        "rope.h",
        "rope",
        defines,
        List.of(
            buffer(x),
            buffer(node.value(1)),
            new Argument.Buffer(angles(rotary, node.inputs().subList(2, node.inputs().size()))),
            buffer(node.output())),
        x,
        Grid.perRow(heads * shape.turns(rotary)));
  }

  /** {@link dev.kancil.graph.op.CacheWrite}. */
  public Work cacheWrite(StateSlot slot, Node node) {
    Value k = node.value(0);
    Value v = node.value(1);
    StateGroup group = layout.groups().get(slot.group());
    RotationShape shape = RotationShape.ofCopies(group, shapes.vector());
    Map<String, String> defines = cacheDefines(slot);
    defines.put("VECTOR", String.valueOf(shape.vector()));
    return maker.launch(
        "cache_write.h",
        "cache_write",
        defines,
        List.of(
            buffer(k),
            buffer(v),
            new Argument.Keys(slot),
            new Argument.Values(slot),
            new Argument.Buffer(inputs.positions()),
            new Argument.Buffer(inputs.rowSequence()),
            new Argument.Buffer(inputs.tableStarts(slot.group())),
            new Argument.Tables(slot)),
        k,
        Grid.perRow(
            shape.stores(group.keyColumns(), group.keyType())
                + shape.stores(group.valueColumns(), group.valueType())));
  }

  /** Attention of queries, which may be turned, to keys and values that are stored. */
  @FunctionalInterface
  public interface Attend {
    Work of(Attention attention, DeviceBuffer queries, Value positions, Node node);

    /**
     * {@link dev.kancil.graph.op.RopeAttention} in one launch for steps of one row, if there is a
     * kernel for that.
     */
    default Optional<Work> turning(RotaryEmbedding rotary, Attention attention, Node node) {
      return Optional.empty();
    }
  }

  /**
   * {@link dev.kancil.graph.op.RopeAttention}: queries turned, keys and values stored, then
   * attention; in one launch for steps of one row, where {@code attend} can.
   */
  public Work ropeAttention(RotaryEmbedding rotary, Attention attention, Node node, Attend attend) {
    return attend
        .turning(rotary, attention, node)
        .map(
            together ->
                Work.byRows(
                    1,
                    node.output(),
                    limits,
                    () -> together,
                    () -> turnedThenAttended(rotary, attention, node, attend)))
        .orElseGet(() -> turnedThenAttended(rotary, attention, node, attend));
  }

  private Work turnedThenAttended(
      RotaryEmbedding rotary, Attention attention, Node node, Attend attend) {
    Value q = node.value(0);
    Value k = node.value(1);
    Value v = node.value(2);
    DeviceBuffer turned = rooms.room("turned queries", limits.tokens() * q.type().rowBytes());
    StateSlot slot = attention.slot();
    StateGroup group = layout.groups().get(slot.group());
    RotationShape shape = RotationShape.of(rotary, group, shapes.vector());
    Map<String, String> defines = rotaryDefines(rotary);
    defines.putAll(cacheDefines(slot));
    defines.put("HEADS", String.valueOf(attention.heads()));
    defines.put("VECTOR", String.valueOf(shape.vector()));
    int keyItems =
        group.keyType() == DataType.Q8_0
            ? shape.stores(group.keyColumns(), group.keyType())
            : attention.kvHeads() * shape.turns(rotary);
    Work write =
        maker.launch(
            "cache_write.h",
            "rope_cache_write",
            defines,
            List.of(
                buffer(q),
                buffer(k),
                buffer(v),
                buffer(node.value(3)),
                new Argument.Buffer(turns(rotary, attention, node)),
                new Argument.Buffer(inputs.rowSequence()),
                new Argument.Buffer(inputs.tableStarts(slot.group())),
                new Argument.Tables(slot),
                new Argument.Keys(slot),
                new Argument.Values(slot),
                new Argument.Buffer(turned)),
            q,
            Grid.perRow(
                attention.heads() * shape.turns(rotary)
                    + keyItems
                    + shape.stores(group.valueColumns(), group.valueType())));
    return new Work.Sequence(List.of(write, attend.of(attention, turned, node.value(3), node)));
  }

  /** What kernels that turn and store keys themselves are compiled with. */
  public static Map<String, String> rotaryDefines(RotaryEmbedding rotary) {
    Map<String, String> defines = new HashMap<>();
    defines.put("HEAD_WIDTH", String.valueOf(rotary.headWidth()));
    defines.put("ROTARY_WIDTH", String.valueOf(rotary.rotaryWidth()));
    defines.put("PAIRING_" + rotary.pairing().name(), "");
    return defines;
  }

  /** What such kernels take: keys and values of the rows, and the angles of positions. */
  public List<Argument> turningArguments(RotaryEmbedding rotary, Attention attention, Node node) {
    return List.of(
        buffer(node.value(1)),
        buffer(node.value(2)),
        new Argument.Buffer(turns(rotary, attention, node)));
  }

  private DeviceBuffer turns(RotaryEmbedding rotary, Attention attention, Node node) {
    return angles(rotary, new RopeAttention(rotary, attention).factors(node.inputs()));
  }

  /** Attention with an item for each head and row. */
  public Work plainAttention(
      Attention attention, DeviceBuffer queries, Value positions, Node node) {
    return attention(
        "attention_plain.h",
        "attention_plain",
        attention,
        Map.of(),
        queries,
        positions,
        places.apply(node.output()),
        node,
        Grid.perRow(attention.heads()));
  }

  /**
   * A launch of one of the attention kernels, which all take the same.
   *
   * @param shape further defines
   */
  public Work attention(
      String file,
      String function,
      Attention attention,
      Map<String, String> shape,
      DeviceBuffer q,
      Value positions,
      DeviceBuffer target,
      Node node,
      Grid grid) {
    return attention(file, function, attention, shape, q, positions, target, node, grid, List.of());
  }

  /**
   * A launch of one of the attention kernels, which takes something more.
   *
   * @param shape further defines
   * @param node of the attention, whose last inputs are its weights
   * @param further arguments behind those that all take
   */
  public Work attention(
      String file,
      String function,
      Attention attention,
      Map<String, String> shape,
      DeviceBuffer q,
      Value positions,
      DeviceBuffer target,
      Node node,
      Grid grid,
      List<Argument> further) {
    StateSlot slot = attention.slot();
    List<Argument> arguments = new ArrayList<>();
    arguments.add(new Argument.Buffer(q));
    arguments.add(new Argument.Keys(slot));
    arguments.add(new Argument.Values(slot));
    arguments.add(buffer(positions));
    arguments.add(new Argument.Buffer(inputs.rowSequence()));
    arguments.add(new Argument.Buffer(inputs.tableStarts(slot.group())));
    arguments.add(new Argument.Tables(slot));
    arguments.add(new Argument.Buffer(inputs.lengths(group(attention).isOfSource())));
    arguments.add(new Argument.Counts());
    arguments.add(new Argument.Buffer(target));
    arguments.addAll(weightArguments(attention, node));
    arguments.addAll(further);
    return maker.launch(file, function, defines(attention, shape), arguments, node.output(), grid);
  }

  /** What attention kernels take that have weights. */
  public List<Argument> weightArguments(Attention attention, Node node) {
    List<Argument> arguments = new ArrayList<>();
    attention.sinks(node).map(weights::floats).map(Argument.Buffer::new).ifPresent(arguments::add);
    attention
        .biases(node)
        .map(weight -> new Argument.Buffer(biases(attention, weight)))
        .ifPresent(arguments::add);
    return arguments;
  }

  /** By head and offset; layers that share the weight share them. */
  private DeviceBuffer biases(Attention attention, Weight weight) {
    Score.RelativeBias bias = attention.relativeBias().orElseThrow();
    return biases.computeIfAbsent(
        new BiasKey(bias, weight),
        _ -> {
          float[] byOffset =
              bias.byOffset(Blocks.decode(weights.tensor(weight)), attention.heads());
          MemorySegment data = MemorySegment.ofArray(byOffset);
          DeviceBuffer buffer = rooms.room("relative biases " + biases.size(), data.byteSize());
          rooms.memory().write(buffer, 0, data);
          return buffer;
        });
  }

  /** The types of the cache that an attention reads. */
  public StateGroup group(Attention attention) {
    return layout.groups().get(attention.slot().group());
  }

  /** What attention kernels are compiled with, for widths, cache, mask and score. */
  public Map<String, String> defines(Attention attention, Map<String, String> shape) {
    Map<String, String> defines = cacheDefines(attention.slot());
    defines.putAll(shape);
    defines.put("HEADS", String.valueOf(attention.heads()));
    defines.put("KV_HEADS", String.valueOf(attention.kvHeads()));
    defines.put("KEY_WIDTH", String.valueOf(attention.keyWidth()));
    defines.put("VALUE_WIDTH", String.valueOf(attention.valueWidth()));
    defines.put("SCALE", Expressions.number(attention.scale()));
    defines.put("SEES(query, key)", Expressions.sees(attention.mask()));
    defines.put("FIRST_KEY(query)", Expressions.firstKey(attention.mask()));
    defines.put("LAST_KEY(query)", Expressions.lastKey(attention.mask()));
    defines.put("SCORE(score, query, key, head)", Expressions.score(attention.score()));
    if (attention.relativeBias().isPresent()) {
      defines.put("RELATIVE_BIAS", "");
    }
    if (attention.hasSinks()) {
      defines.put("SINKS", "");
    }
    if (attention.mask().isInterval()) {
      defines.put("MASK_IS_INTERVAL", "");
    }
    return defines;
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }

  private Map<String, String> cacheDefines(StateSlot slot) {
    StateGroup group = layout.groups().get(slot.group());
    Map<String, String> defines = new HashMap<>(shapes.defines());
    defines.put("KEY_" + cached(group.keyType()), "");
    defines.put("VALUE_" + cached(group.valueType()), "");
    defines.put("KEY_COLUMNS", String.valueOf(group.keyColumns()));
    defines.put("VALUE_COLUMNS", String.valueOf(group.valueColumns()));
    defines.put("PAGE_TOKENS", String.valueOf(AcceleratorState.PAGE_TOKENS));
    return defines;
  }

  private static DataType cached(DataType type) {
    return switch (type) {
      case F32, F16, BF16, F8_E4M3, Q8_0 -> type;
      default -> throw new UnsupportedException("a KV cache of " + type + "");
    };
  }

  /**
   * Cosine and sine of {@code value · 256^digit} positions for each pair, in that order, digit by
   * digit: a kernel turns by each digit of its position, which is exact to float32 at all of them.
   * Each position has a lowest digit, whose turns have the magnitude.
   */
  private DeviceBuffer angles(RotaryEmbedding rotary, List<Operand> factors) {
    return angles.computeIfAbsent(
        new AngleKey(rotary, List.copyOf(factors)),
        _ -> {
          float[] divisors =
              factors.isEmpty() ? null : Blocks.decode(weights.tensor((Weight) factors.getFirst()));
          return upload(rotary, divisors);
        });
  }

  private DeviceBuffer upload(RotaryEmbedding rotary, float @Nullable [] divisors) {
    double[] perPosition = rotary.anglePerPosition(divisors);
    int digits = 4;
    int values = 256;
    float[] table = new float[Math.multiplyExact(digits * values * 2, perPosition.length)];
    int at = 0;
    double unit = 1;
    for (int digit = 0; digit < digits; digit++) {
      double magnitude = digit == 0 ? rotary.magnitude() : 1;
      for (int value = 0; value < values; value++) {
        for (double angle : perPosition) {
          table[at++] = (float) (magnitude * Math.cos(value * unit * angle));
          table[at++] = (float) (magnitude * Math.sin(value * unit * angle));
        }
      }
      unit *= values;
    }
    MemorySegment data = MemorySegment.ofArray(table);
    DeviceBuffer buffer = rooms.room("rotary angles " + angles.size(), data.byteSize());
    rooms.memory().write(buffer, 0, data);
    return buffer;
  }
}
