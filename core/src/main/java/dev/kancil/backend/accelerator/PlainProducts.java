package dev.kancil.backend.accelerator;

import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Products with weights, and rows of them, with an item for each element of the result: what fast
 * kernels are held to, and what runs where there are none.
 */
public final class PlainProducts implements ProductKernels {
  private static final String FILE = "plain_products.h";

  /** How products take activations. */
  public interface Activations {
    /** As they are. */
    Activations FLOATS =
        new Activations() {
          @Override
          public DeviceBuffer of(Value x, DeviceBuffer place, DataType weightType) {
            return place;
          }

          @Override
          public Work before(Value x, List<DataType> weightTypes, Work product) {
            return product;
          }

          @Override
          public Map<String, String> defines(DataType weightType) {
            return Map.of();
          }
        };

    /**
     * Where products with weights of a type find a value.
     *
     * @param place where it lies as it is
     */
    DeviceBuffer of(Value x, DeviceBuffer place, DataType weightType);

    /** Products with weights of some types, once the value is as they take it. */
    Work before(Value x, List<DataType> weightTypes, Work product);

    /** What their kernels are compiled with. */
    Map<String, String> defines(DataType weightType);
  }

  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final KernelShapes shapes;
  private final Activations activations;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;

  /** Kernels of a program. */
  public PlainProducts(
      LaunchMaker maker,
      AcceleratorWeights weights,
      ProgramMemory program,
      KernelShapes shapes,
      Activations activations) {
    this.maker = maker;
    this.weights = weights;
    this.shapes = shapes;
    this.activations = activations;
    rooms = program.rooms();
    limits = program.limits();
    places = program.places();
  }

  /** Each buffer of the table has a launch for its ids. */
  @Override
  public Work embedding(Node node) {
    AcceleratorWeights.Matrix table = weights.matrix(node.weight(1));
    Value y = node.output();
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : table.parts()) {
      launches.add(
          maker.launch(
              FILE,
              "embedding_plain",
              defines(table),
              List.of(
                  buffer(node.value(0)),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow()),
                  new Argument.Whole(part.rows()),
                  buffer(y)),
              y,
              Grid.perRow(table.columns())));
    }
    return new Work.Sequence(launches);
  }

  @Override
  public Work matMul(Value x, Weight weight, Value y) {
    return before(x, List.of(weight), product(x, places.apply(x), weight, y, places.apply(y)));
  }

  private Work before(Value x, List<Weight> multiplied, Work product) {
    List<DataType> types =
        multiplied.stream().map(weight -> weights.matrix(weight).type()).toList();
    return activations.before(x, types, product);
  }

  /**
   * {@code target = x · weightᵀ}, of activations that are as it takes them.
   *
   * @param place where x lies
   * @param y whose number of rows the product has
   */
  public Work product(Value x, DeviceBuffer place, Weight weight, Value y, DeviceBuffer target) {
    AcceleratorWeights.Matrix matrix = weights.matrix(weight);
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : matrix.parts()) {
      launches.add(
          maker.launch(
              FILE,
              "product_plain",
              productDefines(matrix),
              List.of(
                  activations(x, place, matrix),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow()),
                  new Argument.Whole(part.rows()),
                  new Argument.Buffer(target),
                  new Argument.Whole(Math.toIntExact(weight.shape().dimension(-2)))),
              y,
              Grid.perRow(part.rows())));
    }
    return new Work.Sequence(launches);
  }

  /** Both products, then the activation. */
  @Override
  public Work gluMatMul(Node node, Activation activation) {
    Value x = node.value(0);
    Value y = node.output();
    DeviceBuffer up = upRoom(y);
    return before(
        x,
        List.of(node.weight(1), node.weight(2)),
        new Work.Sequence(
            List.of(
                product(x, places.apply(x), node.weight(2), y, up),
                product(x, places.apply(x), node.weight(1), y, places.apply(y)),
                maker.glu(activation, places.apply(y), up, y))));
  }

  @Override
  public Work expertMatMul(Node node) {
    return before(
        node.value(0), List.of(node.weight(1)), experts(node, 1, places.apply(node.output())));
  }

  /** Both products, then the activation. */
  @Override
  public Work expertGluMatMul(Node node, Activation activation) {
    Value y = node.output();
    DeviceBuffer up = upRoom(y);
    return before(
        node.value(0),
        List.of(node.weight(1), node.weight(2)),
        new Work.Sequence(
            List.of(
                experts(node, 2, up),
                experts(node, 1, places.apply(y)),
                maker.glu(activation, places.apply(y), up, y))));
  }

  /**
   * Slots times the matrices of their experts; each buffer of them has a launch for its experts.
   *
   * @param index of the matrices among the node's inputs
   */
  public Work experts(Node node, int index, DeviceBuffer target) {
    Value x = node.value(0);
    Value ids = node.value(node.inputs().size() - 1);
    Value y = node.output();
    Weight weight = node.weight(index);
    AcceleratorWeights.Matrix matrix = weights.matrix(weight);
    int used = ids.type().columns();
    int out = y.type().columns() / used;
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : matrix.parts()) {
      launches.add(
          maker.launch(
              FILE,
              "moe_product_plain",
              productDefines(matrix),
              List.of(
                  activations(x, places.apply(x), matrix),
                  buffer(ids),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow() / out),
                  new Argument.Whole(part.rows() / out),
                  new Argument.Whole(Math.toIntExact(weight.shape().dimension(0))),
                  new Argument.Buffer(target),
                  new Argument.Whole(out),
                  new Argument.Whole(used),
                  new Argument.Whole(MoeMatMul.isApart(x, weight) ? 1 : used)),
              y,
              Grid.perRow(out, used)));
    }
    return new Work.Sequence(launches);
  }

  private DeviceBuffer upRoom(Value y) {
    return rooms.room("a product", limits.tokens() * y.type().rowBytes());
  }

  private Map<String, String> defines(AcceleratorWeights.Matrix matrix) {
    Map<String, String> defines = new HashMap<>(shapes.defines());
    defines.put("WEIGHT_" + matrix.type().name(), "");
    defines.put("COLUMNS", String.valueOf(matrix.columns()));
    return defines;
  }

  private Map<String, String> productDefines(AcceleratorWeights.Matrix matrix) {
    Map<String, String> defines = defines(matrix);
    defines.putAll(activations.defines(matrix.type()));
    return defines;
  }

  private Argument activations(Value x, DeviceBuffer place, AcceleratorWeights.Matrix matrix) {
    return new Argument.Buffer(activations.of(x, place, matrix.type()));
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
