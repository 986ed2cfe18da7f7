package dev.kancil.backend.accelerator;

import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Concatenate;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SoftCap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Kernels of single rows, which all accelerators share. */
public final class RowKernels {
  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final KernelShapes shapes;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;

  /** Kernels of a program. */
  public RowKernels(
      LaunchMaker maker, AcceleratorWeights weights, ProgramMemory program, KernelShapes shapes) {
    this.maker = maker;
    this.weights = weights;
    this.shapes = shapes;
    rooms = program.rooms();
    limits = program.limits();
    places = program.places();
  }

  /** {@link dev.kancil.graph.op.Add}. */
  public Work add(Node node) {
    return elements("add", node, Map.of(), List.of());
  }

  /** {@link dev.kancil.graph.op.Bias}. */
  public Work bias(Node node) {
    Value y = node.output();
    int columns = y.type().columns();
    return maker.launch(
        "element_wise.h",
        "bias",
        Map.of(),
        List.of(
            buffer(node.value(0)),
            new Argument.Buffer(weights.floats(node.weight(1))),
            buffer(y),
            new Argument.Whole(columns)),
        y,
        Grid.perRow(columns));
  }

  /** {@link Scale}. */
  public Work scale(Scale op, Node node) {
    return elements("scale", node, Map.of(), List.of(new Argument.Real(op.factor())));
  }

  /** {@link Clamp}. */
  public Work clamp(Clamp op, Node node) {
    return elements("clamp_both", node, Map.of(), List.of(new Argument.Real(op.limit())));
  }

  /** {@link SoftCap}. */
  public Work softCap(SoftCap op, Node node) {
    return elements("soft_cap", node, Map.of(), List.of(new Argument.Real(op.cap())));
  }

  /** {@link Activate}. */
  public Work activate(Activate op, Node node) {
    return elements("activate", node, op.activation());
  }

  /** {@link Glu}. */
  public Work glu(Glu op, Node node) {
    return elements("glu", node, op.activation());
  }

  /** {@link ClampedGlu}. */
  public Work clampedGlu(ClampedGlu op, Node node) {
    return elements("clamped_glu", node, op.activation(), new Argument.Real(op.limit()));
  }

  /** {@link Concatenate}. */
  public Work concatenate(Concatenate op, Node node) {
    Value a = node.value(0);
    Value b = node.value(1);
    Value y = node.output();
    return maker.launch(
        "columns.h",
        "concatenate",
        Map.of(),
        List.of(
            buffer(a),
            buffer(b),
            buffer(y),
            new Argument.Whole(a.type().columns() / op.groups()),
            new Argument.Whole(b.type().columns() / op.groups()),
            new Argument.Whole(y.type().columns())),
        y,
        Grid.perRow(y.type().columns()));
  }

  /** {@link dev.kancil.graph.op.SelectColumns}. */
  public Work selectColumns(Node node) {
    Value x = node.value(0);
    Value y = node.output();
    return maker.launch(
        "columns.h",
        "select_columns",
        Map.of(),
        List.of(
            buffer(x),
            new Argument.Buffer(weights.floats(node.weight(1))),
            buffer(y),
            new Argument.Whole(x.type().columns()),
            new Argument.Whole(y.type().columns())),
        y,
        Grid.perRow(y.type().columns()));
  }

  /** {@link dev.kancil.graph.op.SlotIds}. */
  public Work slotIds(Node node) {
    Value ids = node.output();
    int slots = ids.type().columns();
    return maker.launch(
        "columns.h",
        "slot_ids",
        Map.of(),
        List.of(buffer(ids), new Argument.Whole(slots)),
        ids,
        Grid.ofElements(slots));
  }

  private Work elements(String function, Node node, Activation activation, Argument... further) {
    return elements(
        function, node, Map.of("ACTIVATION_" + activation.name(), ""), List.of(further));
  }

  /** {@link dev.kancil.graph.op.SelectRows}. */
  public Work selectRows(Node node) {
    return elements("select_rows", node, Map.of(), List.of());
  }

  /** {@link HostCall}. */
  public Work hostCall(HostCall op, Node node) {
    return new TapCall(
        op.function(),
        rooms.memory(),
        places.apply(node.value(0)),
        places.apply(node.output()),
        node.output().type().columns(),
        Work.isPerOutput(node.output()));
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

  /** {@link RmsNorm}. */
  public Work rmsNorm(RmsNorm op, Node node) {
    Value y = node.output();
    return rmsNorm(op.epsilon(), op.group(), node, places.apply(y), y);
  }

  private Work rmsNorm(float epsilon, int group, Node node, DeviceBuffer normed, Value rows) {
    Value x = node.value(0);
    int groups = x.type().columns() / group;
    int lanes = shapes.lanes(group);
    return maker.launch(
        "rms_norm.h",
        "rms_norm",
        Map.of("LANES", String.valueOf(lanes)),
        List.of(
            new Argument.Buffer(places.apply(x)),
            new Argument.Buffer(weights.floats(node.weight(1))),
            new Argument.Buffer(normed),
            new Argument.Whole(group),
            new Argument.Whole(groups),
            new Argument.Real(epsilon)),
        rows,
        Grid.of(lanes, count -> (long) count * groups));
  }

  /** {@link AddRmsNorm}. */
  public Work addRmsNorm(AddRmsNorm op, Node node) {
    return addRmsNorm(op.epsilon(), node, places.apply(node.outputs().get(1)));
  }

  /**
   * The norm that a product takes.
   *
   * @param normed where it goes
   */
  public Work norm(NormedProduct op, Node node, DeviceBuffer normed) {
    if (op.isSum()) {
      return addRmsNorm(op.epsilon(), node, normed);
    }
    Value x = node.value(0);
    return rmsNorm(op.epsilon(), x.type().columns(), node, normed, x);
  }

  private Work addRmsNorm(float epsilon, Node node, DeviceBuffer normed) {
    Value sum = node.outputs().get(0);
    int lanes = shapes.lanes(sum.type().columns());
    return maker.launch(
        "rms_norm.h",
        "add_rms_norm",
        Map.of("LANES", String.valueOf(lanes)),
        List.of(
            new Argument.Buffer(places.apply(node.value(0))),
            new Argument.Buffer(places.apply(node.value(1))),
            new Argument.Buffer(weights.floats(node.weight(2))),
            new Argument.Buffer(places.apply(sum)),
            new Argument.Buffer(normed),
            new Argument.Whole(sum.type().columns()),
            new Argument.Real(epsilon)),
        sum,
        Grid.of(lanes, rows -> rows));
  }

  /** See {@link Lowering#feed}. */
  Work feed(Value tokens, Value chosen) {
    return maker.launch(
        "element_wise.h",
        "feed_tokens",
        Map.of(),
        List.of(buffer(tokens), buffer(chosen)),
        tokens,
        Grid.ofElements(1));
  }

  /** {@link LayerNorm}. */
  public Work layerNorm(LayerNorm op, Node node) {
    Value x = node.value(0);
    int groups = x.type().columns() / op.group();
    int lanes = shapes.lanes(op.group());
    Map<String, String> defines = new HashMap<>();
    defines.put("LANES", String.valueOf(lanes));
    List<Argument> arguments = new ArrayList<>();
    arguments.add(buffer(x));
    if (node.inputs().size() > 1) {
      defines.put("WEIGHTED", "");
      arguments.add(new Argument.Buffer(weights.floats(node.weight(1))));
    }
    if (node.inputs().size() > 2) {
      defines.put("BIASED", "");
      arguments.add(new Argument.Buffer(weights.floats(node.weight(2))));
    }
    arguments.add(buffer(node.output()));
    arguments.add(new Argument.Whole(op.group()));
    arguments.add(new Argument.Whole(groups));
    arguments.add(new Argument.Real(op.epsilon()));
    return maker.launch(
        "layer_norm.h",
        "layer_norm",
        defines,
        arguments,
        node.output(),
        Grid.of(lanes, count -> (long) count * groups));
  }

  /** {@link Sample}. */
  public Work sample(Node node) {
    Value logits = node.value(0);
    Value token = node.output();
    long rows = limits.rows(logits.type().rows());
    int lanes = shapes.sampleLanes();
    Map<String, String> defines = new HashMap<>();
    defines.put("LANES", String.valueOf(lanes));
    // Runs of neighbouring ids whose weights are added up for the draw.
    defines.put("SEGMENTS", String.valueOf(Math.max(lanes, 64)));
    int highest = Sample.EXP2.size() - 1;
    for (int power = 0; power <= highest; power++) {
      defines.put("C" + power, Expressions.number(Sample.EXP2.get(highest - power)));
    }
    List<Argument> arguments = new ArrayList<>();
    arguments.add(buffer(logits));
    arguments.add(buffer(node.value(1)));
    arguments.add(buffer(node.value(2)));
    arguments.add(buffer(token));
    arguments.add(
        new Argument.Buffer(rooms.room("changed logits", rows * logits.type().rowBytes())));
    List<Work> launches = new ArrayList<>();
    Argument columns = new Argument.Whole(logits.type().columns());
    int parts = shapes.sampleParts();
    if (parts > 1) {
      defines.put("PARTS", String.valueOf(parts));
      long bytes = rows * parts * Integer.BYTES;
      Argument largest = new Argument.Buffer(rooms.room("largest logits", bytes));
      Argument first = new Argument.Buffer(rooms.room("ids of largest logits", bytes));
      arguments.add(largest);
      arguments.add(first);
      launches.add(
          maker.launch(
              "sample.h",
              "largest_logits",
              defines,
              List.of(buffer(logits), largest, first, columns),
              token,
              new Grid(
                  new long[] {lanes, 1},
                  (count, groups) -> {
                    groups[0] = parts;
                    groups[1] = count;
                  })));
    }
    arguments.add(columns);
    launches.add(
        maker.launch(
            "sample.h", "sample", defines, arguments, token, Grid.of(lanes, count -> count)));
    return new Work.Sequence(launches);
  }

  /** {@link MoeRoute}. */
  public Work route(MoeRoute route, Node node) {
    Value logits = node.value(0);
    int experts = logits.type().columns();
    int lanes = Math.min(shapes.routeLanes(), Integer.highestOneBit(experts));
    Map<String, String> defines = new HashMap<>();
    defines.put("EXPERTS", String.valueOf(experts));
    defines.put("LANES", String.valueOf(lanes));
    defines.put("SCORING_" + route.scoring().name(), "");
    MoeRoute.Grouping grouping = route.grouping();
    if (grouping.excludes()) {
      defines.put("GROUPS", String.valueOf(grouping.groups()));
      defines.put("USED_GROUPS", String.valueOf(grouping.used()));
      defines.put("RANKING_" + grouping.ranking().name(), "");
    }
    List<Argument> arguments = new ArrayList<>();
    arguments.add(buffer(logits));
    if (node.inputs().size() == 2) {
      defines.put("BIASED", "");
      arguments.add(new Argument.Buffer(weights.floats(node.weight(1))));
    }
    arguments.add(buffer(node.outputs().get(0)));
    arguments.add(buffer(node.outputs().get(1)));
    arguments.add(new Argument.Whole(route.used()));
    arguments.add(new Argument.Whole(route.renormalised() ? 1 : 0));
    arguments.add(new Argument.Real(route.factor()));
    return maker.launch(
        "moe_route.h", "moe_route", defines, arguments, logits, Grid.of(lanes, rows -> rows));
  }

  /** {@link dev.kancil.graph.op.MoeBias}. */
  public Work expertBias(Node node) {
    Value ids = node.value(2);
    Value y = node.output();
    int used = ids.type().columns();
    int columns = y.type().columns() / used;
    return maker.launch(
        "columns.h",
        "moe_bias",
        Map.of(),
        List.of(
            buffer(node.value(0)),
            new Argument.Buffer(weights.floats(node.weight(1))),
            buffer(ids),
            buffer(y),
            new Argument.Whole(Math.toIntExact(node.weight(1).shape().dimension(0))),
            new Argument.Whole(used),
            new Argument.Whole(columns)),
        y,
        Grid.perRow(columns, used));
  }

  /** {@link dev.kancil.graph.op.MoeSum}. */
  public Work sum(Node node) {
    Value y = node.output();
    int columns = y.type().columns();
    return maker.launch(
        "moe_sum.h",
        "moe_sum",
        Map.of(),
        List.of(
            buffer(node.value(0)),
            buffer(node.value(1)),
            buffer(y),
            new Argument.Whole(node.value(1).type().columns()),
            new Argument.Whole(columns)),
        y,
        Grid.ofElements(columns));
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
