package dev.kancil.backend.opencl;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProductKernels;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.backend.opencl.ProductShape.Few;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** Products with weights, and rows of them, in the shapes that the tuner chose. */
final class Products implements ProductKernels {
  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final Rooms rooms;
  private final StepLimits limits;
  private final ClDevice device;
  private final ProductTuner tuner;
  private final RoundedActivations rounded;
  private final MoeLowering experts;
  private final Function<Value, DeviceBuffer> places;

  Products(
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
    places = program.places();
    this.device = device;
    this.tuner = tuner;
    this.rounded = rounded;
    experts = new MoeLowering(maker, weights, program, device, tuner, rounded);
  }

  /** A launch for each buffer of the table: each writes the rows whose ids it has. */
  @Override
  public Work embedding(Node node) {
    AcceleratorWeights.Matrix table = weights.matrix(node.weight(1));
    Value y = node.output();
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : table.parts()) {
      launches.add(
          maker.launch(
              "embedding.cl",
              "embedding",
              defines(table),
              List.of(
                  buffer(node.value(0)),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow()),
                  new Argument.Whole(part.rows()),
                  buffer(y)),
              y,
              Grid.perRow(Math.ceilDiv(table.columns(), 16))));
    }
    return new Work.Sequence(launches);
  }

  @Override
  public Work matMul(Value x, Weight weight, Value y) {
    AcceleratorWeights.Matrix matrix = weights.matrix(weight);
    return roundedFirst(x, matrix.type(), matMul(x, matrix, y, places.apply(y)));
  }

  /** A product, once x is as products with weights of a type take it. */
  private Work roundedFirst(Value x, DataType type, Work product) {
    return tuner.roundsActivations(type) ? rounded.before(x, product) : product;
  }

  /** A product of what {@link #roundedFirst} has brought. */
  private Work matMul(Value x, AcceleratorWeights.Matrix matrix, Value y, DeviceBuffer target) {
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : matrix.parts()) {
      Product product = new Product(x, matrix, part, y, target);
      launches.add(byTokens(matrix, y, tokens -> matVec(product, tokens), () -> tiled(product)));
    }
    return new Work.Sequence(launches);
  }

  /**
   * A product with some rows of a matrix.
   *
   * @param y a value of the product's size
   * @param target where it goes
   */
  private record Product(
      Value x,
      AcceleratorWeights.Matrix matrix,
      AcceleratorWeights.Part part,
      Value y,
      DeviceBuffer target) {}

  private List<Argument> arguments(Product product, Arithmetic arithmetic) {
    return List.of(
        activations(product.x(), arithmetic),
        new Argument.Buffer(product.part().buffer()),
        new Argument.Offset(product.part().at()),
        new Argument.Whole(product.part().firstRow()),
        new Argument.Whole(product.part().rows()),
        new Argument.Buffer(product.target()),
        new Argument.Whole(product.y().type().columns()));
  }

  private Argument activations(Value x, Arithmetic arithmetic) {
    return arithmetic == Arithmetic.INTEGERS ? new Argument.Buffer(rounded.room(x)) : buffer(x);
  }

  /** A variant for one token, one for few, and one for many. */
  private Work byTokens(
      AcceleratorWeights.Matrix matrix, Value y, IntFunction<Work> few, Supplier<Work> many) {
    int fewTokens = tuner.shape(matrix.type()).fewTokens();
    return Work.byRows(
        1,
        y,
        limits,
        () -> few.apply(1),
        () -> Work.byRows(fewTokens, y, limits, () -> few.apply(Few.TOKENS), many));
  }

  private Few few(AcceleratorWeights.Matrix matrix, int tokens) {
    ProductShape shape = tuner.shape(matrix.type());
    return tokens == 1 ? shape.one() : shape.few();
  }

  private Work matVec(Product product, int tokens) {
    Few shape = few(product.matrix(), tokens);
    Map<String, String> defines = defines(product.matrix());
    defines.putAll(shape.defines());
    defines.put("TOKENS", String.valueOf(tokens));
    return maker.launch(
        "mat_vec.cl",
        "mat_vec",
        defines,
        arguments(product, shape.arithmetic()),
        product.y(),
        shape.grid(product.part().rows(), tokens));
  }

  private Work tiled(Product product) {
    ProductShape.Many shape = tuner.shape(product.matrix().type()).many();
    Map<String, String> defines = defines(product.matrix());
    defines.putAll(shape.defines());
    return maker.launch(
        shape.kernel() + ".cl",
        shape.kernel(),
        defines,
        arguments(product, shape.arithmetic()),
        product.y(),
        shape.grid(product.part().rows()));
  }

  /**
   * Both products and the activation in one launch for few tokens, where the weights are of one
   * type and each in one buffer; else one after the other.
   */
  @Override
  public Work gluMatMul(Node node, Activation activation) {
    AcceleratorWeights.Matrix gate = weights.matrix(node.weight(1));
    AcceleratorWeights.Matrix up = weights.matrix(node.weight(2));
    boolean isTogether =
        gate.type() == up.type() && gate.parts().size() == 1 && up.parts().size() == 1;
    Work product =
        isTogether
            ? byTokens(
                gate,
                node.output(),
                tokens -> gluMatVec(node, activation, gate, up, tokens),
                () -> gluInParts(node, activation, gate, up))
            : gluInParts(node, activation, gate, up);
    DataType rounding = tuner.roundsActivations(gate.type()) ? gate.type() : up.type();
    return roundedFirst(node.value(0), rounding, product);
  }

  @Override
  public Work expertMatMul(Node node) {
    return experts.matMul(node);
  }

  @Override
  public Work expertGluMatMul(Node node, Activation activation) {
    return experts.gluMatMul(node, activation);
  }

  private Work gluMatVec(
      Node node,
      Activation activation,
      AcceleratorWeights.Matrix gate,
      AcceleratorWeights.Matrix up,
      int tokens) {
    Value y = node.output();
    AcceleratorWeights.Part gatePart = gate.parts().getFirst();
    AcceleratorWeights.Part upPart = up.parts().getFirst();
    Few shape = few(gate, tokens);
    Map<String, String> defines = defines(gate);
    defines.putAll(shape.defines());
    defines.put("TOKENS", String.valueOf(tokens));
    defines.put("ACTIVATION_" + activation.name(), "");
    return maker.launch(
        "mat_vec.cl",
        "glu_mat_vec",
        defines,
        List.of(
            activations(node.value(0), shape.arithmetic()),
            new Argument.Buffer(gatePart.buffer()),
            new Argument.Offset(gatePart.at()),
            new Argument.Buffer(upPart.buffer()),
            new Argument.Offset(upPart.at()),
            new Argument.Whole(gatePart.firstRow()),
            new Argument.Whole(gatePart.rows()),
            buffer(y),
            new Argument.Whole(y.type().columns())),
        y,
        shape.grid(gatePart.rows(), tokens));
  }

  private Work gluInParts(
      Node node,
      Activation activation,
      AcceleratorWeights.Matrix gate,
      AcceleratorWeights.Matrix up) {
    Value x = node.value(0);
    Value y = node.output();
    DeviceBuffer upRoom = rooms.room("a product", limits.tokens() * y.type().rowBytes());
    return new Work.Sequence(
        List.of(
            matMul(x, up, y, upRoom),
            matMul(x, gate, y, places.apply(y)),
            maker.glu(activation, places.apply(y), upRoom, y)));
  }

  private Map<String, String> defines(AcceleratorWeights.Matrix matrix) {
    return ProductShape.weightDefines(device, matrix.type(), matrix.columns());
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
