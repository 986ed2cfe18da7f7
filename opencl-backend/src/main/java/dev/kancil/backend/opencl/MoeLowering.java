package dev.kancil.backend.opencl;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeMatMul;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Mixtures of experts. In a step of few rows each slot's product goes through its expert's matrix
 * by itself; in a step of many the device sorts slots by expert first.
 */
final class MoeLowering {
  /**
   * Slots of an expert, on average, up to which they are not sorted: unpacking weights into local
   * memory costs as much as so many products that unpack them in registers.
   */
  private static final int FEW_SLOTS = 8;

  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final Rooms rooms;
  private final StepLimits limits;
  private final ClDevice device;
  private final Function<Value, DeviceBuffer> places;
  private final ProductTuner tuner;
  private final RoundedActivations rounded;
  private final MoeShape shape;
  // Nodes are lowered in running order, so this is what the rooms hold when the next one runs.
  private @Nullable Sorted sorted;

  /** Which slots the tiles are of. */
  private record Sorted(Value ids, int experts) {}

  MoeLowering(
      LaunchMaker maker,
      AcceleratorWeights weights,
      ProgramMemory program,
      ClDevice device,
      ProductTuner tuner,
      RoundedActivations rounded) {
    this.maker = maker;
    this.weights = weights;
    rooms = program.rooms();
    limits = program.limits();
    this.device = device;
    places = program.places();
    this.tuner = tuner;
    this.rounded = rounded;
    this.shape = MoeShape.of(device);
  }

  Work matMul(Node node) {
    Product product = product(node, 1, places.apply(node.output()));
    Work work = byRows(product, () -> matVec(product), () -> sorted(product, tiled(product)));
    return ofIntegers(product.matrix()) ? rounded.before(product.x(), work) : work;
  }

  /**
   * Both products and the activation in one launch for few rows, where the weights are of one type
   * and each in one buffer; else one after the other.
   */
  Work gluMatMul(Node node, Activation activation) {
    Product gate = product(node, 1, places.apply(node.output()));
    AcceleratorWeights.Matrix up = weights.matrix(node.weight(2));
    boolean isTogether =
        gate.matrix().type() == up.type()
            && gate.matrix().parts().size() == 1
            && up.parts().size() == 1;
    Work work =
        byRows(
            gate,
            () ->
                isTogether
                    ? gluMatVec(gate, up.parts().getFirst(), activation)
                    : sequence(matVec(up(node)), matVec(gate), glu(node, activation)),
            () -> sorted(gate, tiled(up(node)), tiled(gate), glu(node, activation)));
    return ofIntegers(gate.matrix()) || ofIntegers(up) ? rounded.before(gate.x(), work) : work;
  }

  /** What products of few rows multiply: what those of one row with other matrices do. */
  private Arithmetic arithmetic(AcceleratorWeights.Matrix matrix) {
    return tuner.roundsActivations(matrix.type())
        ? tuner.shape(matrix.type()).one().arithmetic()
        : Arithmetic.FLOATS;
  }

  private boolean ofIntegers(AcceleratorWeights.Matrix matrix) {
    return arithmetic(matrix) == Arithmetic.INTEGERS;
  }

  private Argument activations(Product product) {
    return ofIntegers(product.matrix())
        ? new Argument.Buffer(rounded.room(product.x()))
        : buffer(product.x());
  }

  /**
   * A product of slots with the matrices of their experts.
   *
   * @param y a value of the product's size
   * @param target where it goes
   * @param slotsOfInput slots, one after the other, that share a row of x
   */
  private record Product(
      Value x,
      Value ids,
      Value y,
      DeviceBuffer target,
      AcceleratorWeights.Matrix matrix,
      int experts,
      int slotsOfInput) {
    int used() {
      return ids.type().columns();
    }

    int out() {
      return y.type().columns() / used();
    }
  }

  private Product product(Node node, int index, DeviceBuffer target) {
    Weight weight = node.weight(index);
    Value ids = node.value(node.inputs().size() - 1);
    return new Product(
        node.value(0),
        ids,
        node.output(),
        target,
        weights.matrix(weight),
        Math.toIntExact(weight.shape().dimension(0)),
        MoeMatMul.isApart(node.value(0), weight) ? 1 : ids.type().columns());
  }

  private Product up(Node node) {
    return product(node, 2, upRoom(node.output()));
  }

  private DeviceBuffer upRoom(Value y) {
    return rooms.room("a product of experts", limits.tokens() * y.type().rowBytes());
  }

  private Work byRows(Product product, Supplier<Work> few, Supplier<Work> many) {
    int most = Math.max(1, FEW_SLOTS * product.experts() / product.used());
    return Work.byRows(most, product.y(), limits, few, many);
  }

  private static Work sequence(Work... parts) {
    return new Work.Sequence(List.of(parts));
  }

  /** A launch for each buffer of the weights: each takes the slots of the experts that it has. */
  private Work matVec(Product product) {
    Map<String, String> defines = defines(product.matrix());
    defines.putAll(shape.few().with(arithmetic(product.matrix())).defines());
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : product.matrix().parts()) {
      launches.add(
          maker.launch(
              "moe_mat_vec.cl",
              "moe_mat_vec",
              defines,
              List.of(
                  activations(product),
                  buffer(product.ids()),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow() / product.out()),
                  new Argument.Whole(part.rows() / product.out()),
                  new Argument.Whole(product.experts()),
                  new Argument.Buffer(product.target()),
                  new Argument.Whole(product.out()),
                  new Argument.Whole(product.used()),
                  new Argument.Whole(product.slotsOfInput())),
              product.y(),
              shape.few().grid(product.out(), rows -> (long) rows * product.used())));
    }
    return new Work.Sequence(launches);
  }

  private Work gluMatVec(Product gate, AcceleratorWeights.Part up, Activation activation) {
    AcceleratorWeights.Part part = gate.matrix().parts().getFirst();
    Map<String, String> defines = defines(gate.matrix());
    defines.putAll(shape.few().with(arithmetic(gate.matrix())).defines());
    defines.put("ACTIVATION_" + activation.name(), "");
    return maker.launch(
        "moe_mat_vec.cl",
        "moe_glu_mat_vec",
        defines,
        List.of(
            activations(gate),
            buffer(gate.ids()),
            new Argument.Buffer(part.buffer()),
            new Argument.Offset(part.at()),
            new Argument.Buffer(up.buffer()),
            new Argument.Offset(up.at()),
            new Argument.Whole(gate.experts()),
            new Argument.Buffer(gate.target()),
            new Argument.Whole(gate.out()),
            new Argument.Whole(gate.used()),
            new Argument.Whole(gate.slotsOfInput())),
        gate.y(),
        shape.few().grid(gate.out(), rows -> (long) rows * gate.used()));
  }

  /**
   * What is to run once {@link #tiled} finds its slots, which are there if they were just sorted.
   */
  private Work sorted(Product product, Work... parts) {
    Sorted wanted = new Sorted(product.ids(), product.experts());
    if (wanted.equals(sorted)) {
      return sequence(parts);
    }
    sorted = wanted;
    return sequence(sort(product), sequence(parts));
  }

  private Work sort(Product product) {
    return maker.launch(
        "moe_slots.cl",
        "moe_slots",
        Map.of(
            "EXPERTS", String.valueOf(product.experts()),
            "TILE_SLOTS", String.valueOf(shape.many().tileSlots()),
            "ITEMS", String.valueOf(shape.sortItems())),
        List.of(
            buffer(product.ids()),
            new Argument.Buffer(tiles(product)),
            new Argument.Buffer(slots(product)),
            new Argument.Whole(product.used())),
        product.y(),
        Grid.of(shape.sortItems(), rows -> Math.min(rows, 1)));
  }

  private DeviceBuffer tiles(Product product) {
    long most = shape.many().tiles(product.experts(), mostSlots(product));
    return rooms.room("tiles of slots", 4 * Integer.BYTES * most);
  }

  private DeviceBuffer slots(Product product) {
    return rooms.room("slots by expert", Integer.BYTES * mostSlots(product));
  }

  private long mostSlots(Product product) {
    return (long) limits.tokens() * product.used();
  }

  /** A launch for each buffer of the weights: each takes the tiles of the experts that it has. */
  private Work tiled(Product product) {
    Map<String, String> defines = defines(product.matrix());
    defines.putAll(shape.many().defines());
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : product.matrix().parts()) {
      launches.add(
          maker.launch(
              "moe_mat_mul.cl",
              "moe_mat_mul",
              defines,
              List.of(
                  buffer(product.x()),
                  new Argument.Buffer(tiles(product)),
                  new Argument.Buffer(slots(product)),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow() / product.out()),
                  new Argument.Whole(part.rows() / product.out()),
                  new Argument.Buffer(product.target()),
                  new Argument.Whole(product.out()),
                  new Argument.Whole(product.slotsOfInput())),
              product.y(),
              shape.many().grid(product.out(), product.used(), product.experts())));
    }
    return new Work.Sequence(launches);
  }

  private Work glu(Node node, Activation activation) {
    Value y = node.output();
    return maker.glu(activation, places.apply(y), upRoom(y), y);
  }

  private Map<String, String> defines(AcceleratorWeights.Matrix matrix) {
    return ProductShape.weightDefines(device, matrix.type(), matrix.columns());
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
