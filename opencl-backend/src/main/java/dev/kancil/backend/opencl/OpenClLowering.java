package dev.kancil.backend.opencl;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.Lowering;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.TapCall;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Kernels for each node of one program, with their arguments bound. */
final class OpenClLowering implements Lowering {
  private final LaunchMaker maker;
  private final Function<Value, DeviceBuffer> places;
  private final AcceleratorWeights weights;
  private final Memory memory;
  private final StepLimits limits;
  private final Rooms rooms;
  private final ClDevice device;
  private final Products products;
  private final MoeLowering experts;
  private final AttentionLowering attention;

  OpenClLowering(
      LaunchMaker maker,
      Memory memory,
      AcceleratorWeights weights,
      ProductTuner tuner,
      ProgramMemory program) {
    places = program.places();
    this.weights = weights;
    this.memory = memory;
    limits = program.limits();
    rooms = program.rooms();
    this.device = memory.device();
    this.maker = maker;
    RoundedActivations rounded = new RoundedActivations(maker, rooms, limits, places);
    this.products = new Products(maker, weights, rooms, limits, device, tuner, rounded, places);
    this.experts = new MoeLowering(maker, weights, rooms, limits, device, tuner, rounded, places);
    this.attention = new AttentionLowering(maker, weights, program, device);
  }

  @Override
  public Work lower(Node node) {
    for (Value output : node.outputs()) {
      if (output.type().rows() instanceof Dimension.Fixed) {
        throw new UnsupportedException(node.op().name() + " of a fixed number of rows on OpenCL");
      }
    }
    return switch (node.op()) {
      case Add _ -> elements("add", node, Map.of(), List.of());
      case Scale(float factor) ->
          elements("scale", node, Map.of(), List.of(new Argument.Real(factor)));
      case SoftCap(float cap) ->
          elements("soft_cap", node, Map.of(), List.of(new Argument.Real(cap)));
      case Glu(var activation) ->
          elements("glu", node, Map.of("ACTIVATION_" + activation.name(), ""), List.of());
      case SelectRows _ -> elements("select_rows", node, Map.of(), List.of());
      case HostCall(var function) ->
          new TapCall(
              function,
              memory,
              places.apply(node.value(0)),
              places.apply(node.output()),
              node.output().type().columns(),
              Work.isPerOutput(node.output()));
      case RmsNorm(float epsilon, int group) -> rmsNorm(node, epsilon, group);
      case AddRmsNorm(float epsilon) -> addRmsNorm(node, epsilon);
      case Embedding _ -> products.embedding(node);
      case MatMul _ -> products.matMul(node.value(0), node.weight(1), node.output());
      case ParallelMatMul(int count) ->
          new Work.Sequence(
              IntStream.range(0, count)
                  .mapToObj(
                      i ->
                          products.matMul(node.value(0), node.weight(1 + i), node.outputs().get(i)))
                  .toList());
      case GluMatMul(var activation) -> products.gluMatMul(node, activation);
      case MoeRoute route -> experts.route(route, node);
      case MoeMatMul _ -> experts.matMul(node);
      case MoeGluMatMul(var activation) -> experts.gluMatMul(node, activation);
      case MoeSum _ -> experts.sum(node);
      case Sample _ -> sample(node);
      case Rope(var rotary) -> attention.rope(rotary, node);
      case CacheWrite(var slot) -> attention.cacheWrite(slot, node);
      case Attention op -> attention.attention(op, node);
      case RopeAttention(var rotary, var op) -> attention.ropeAttention(rotary, op, node);
    };
  }

  private Work sample(Node node) {
    Value logits = node.value(0);
    Value token = node.output();
    long rows = limits.rows(logits.type().rows());
    SampleShape shape = SampleShape.of(device);
    return maker.launch(
        "sample.h",
        "sample",
        shape.defines(),
        List.of(
            new Argument.Buffer(places.apply(logits)),
            new Argument.Buffer(places.apply(node.value(1))),
            new Argument.Buffer(places.apply(node.value(2))),
            new Argument.Buffer(places.apply(token)),
            new Argument.Buffer(rooms.room("changed logits", rows * logits.type().rowBytes())),
            new Argument.Whole(logits.type().columns())),
        token,
        Grid.of(shape.lanes(), count -> count));
  }

  /** One item for each element of the output. */
  private Work elements(
      String function, Node node, Map<String, String> defines, List<Argument> settings) {
    Value y = node.output();
    List<Argument> arguments =
        new ArrayList<>(
            node.inputs().stream()
                .map(input -> (Argument) new Argument.Buffer(places.apply((Value) input)))
                .toList());
    arguments.add(new Argument.Buffer(places.apply(y)));
    arguments.addAll(settings);
    int columns = y.type().columns();
    arguments.add(new Argument.Whole(columns));
    return maker.launch(
        "element_wise.h", function, defines, arguments, y, Grid.ofElements(columns));
  }

  private Work rmsNorm(Node node, float epsilon, int group) {
    Value x = node.value(0);
    int groups = x.type().columns() / group;
    int lanes = lanes(group);
    return maker.launch(
        "rms_norm.h",
        "rms_norm",
        Map.of("LANES", String.valueOf(lanes)),
        List.of(
            new Argument.Buffer(places.apply(x)),
            new Argument.Buffer(weights.floats(node.weight(1))),
            new Argument.Buffer(places.apply(node.output())),
            new Argument.Whole(group),
            new Argument.Whole(groups),
            new Argument.Real(epsilon)),
        node.output(),
        Grid.of(lanes, rows -> (long) rows * groups));
  }

  private Work addRmsNorm(Node node, float epsilon) {
    Value sum = node.outputs().get(0);
    int lanes = lanes(sum.type().columns());
    return maker.launch(
        "rms_norm.h",
        "add_rms_norm",
        Map.of("LANES", String.valueOf(lanes)),
        List.of(
            new Argument.Buffer(places.apply(node.value(0))),
            new Argument.Buffer(places.apply(node.value(1))),
            new Argument.Buffer(weights.floats(node.weight(2))),
            new Argument.Buffer(places.apply(sum)),
            new Argument.Buffer(places.apply(node.outputs().get(1))),
            new Argument.Whole(sum.type().columns()),
            new Argument.Real(epsilon)),
        sum,
        Grid.of(lanes, rows -> rows));
  }

  /** Items that share a row: one on a processor, whose vectors are an item's own. */
  private int lanes(int columns) {
    if (device.isProcessor()) {
      return 1;
    }
    return Math.min(Integer.highestOneBit(columns), Math.min(128, device.largestGroup()));
  }

  @Override
  public void close() {
    maker.close();
  }
}
