package dev.kancil.backend.opencl;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.opencl.Launch.Argument;
import dev.kancil.backend.opencl.Launch.Grid;
import dev.kancil.backend.opencl.ProductShape.Few;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** Products with weights, and rows of them. */
final class Products {
  private final LaunchMaker maker;
  private final OpenClWeights weights;
  private final Rooms rooms;
  private final StepLimits limits;
  private final ClDevice device;
  private final ProductTuner tuner;
  private final Function<Value, DeviceBuffer> places;

  Products(
      LaunchMaker maker,
      OpenClWeights weights,
      Rooms rooms,
      StepLimits limits,
      ClDevice device,
      ProductTuner tuner,
      Function<Value, DeviceBuffer> places) {
    this.maker = maker;
    this.weights = weights;
    this.rooms = rooms;
    this.limits = limits;
    this.places = places;
    this.device = device;
    this.tuner = tuner;
  }

  /** A launch for each buffer of the table: each writes the rows whose ids it has. */
  Work embedding(Node node) {
    OpenClWeights.Matrix table = weights.matrix(node.weight(1));
    Value y = node.output();
    List<Work> launches = new ArrayList<>();
    for (OpenClWeights.Part part : table.parts()) {
      launches.add(
          maker.launch(
              "embedding.cl",
              device.isPlain() ? "embedding_plain" : "embedding",
              defines(table),
              List.of(
                  buffer(node.value(0)),
                  new Argument.Buffer(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow()),
                  new Argument.Whole(part.rows()),
                  buffer(y)),
              y,
              Grid.perRow(device.isPlain() ? table.columns() : Math.ceilDiv(table.columns(), 16))));
    }
    return new Work.Sequence(launches);
  }

  Work matMul(Value x, Weight weight, Value y) {
    return matMul(x, weight, y, places.apply(y));
  }

  private Work matMul(Value x, Weight weight, Value y, DeviceBuffer target) {
    OpenClWeights.Matrix matrix = weights.matrix(weight);
    List<Work> launches = new ArrayList<>();
    for (OpenClWeights.Part part : matrix.parts()) {
      List<Argument> arguments =
          List.of(
              buffer(x),
              new Argument.Buffer(part.buffer()),
              new Argument.Offset(part.at()),
              new Argument.Whole(part.firstRow()),
              new Argument.Whole(part.rows()),
              new Argument.Buffer(target),
              new Argument.Whole(y.type().columns()));
      if (device.isPlain()) {
        launches.add(
            maker.launch(
                "plain_products.cl",
                "product_plain",
                defines(matrix),
                arguments,
                y,
                Grid.perRow(part.rows())));
        continue;
      }
      launches.add(
          byTokens(
              matrix,
              y,
              tokens -> matVec(matrix, part.rows(), tokens, arguments, y),
              () -> tiled(matrix, part.rows(), arguments, y)));
    }
    return new Work.Sequence(launches);
  }

  /** A variant for one token, one for few, and one for many. */
  private Work byTokens(
      OpenClWeights.Matrix matrix, Value y, IntFunction<Work> few, Supplier<Work> many) {
    int fewTokens = tuner.shape(matrix.type()).fewTokens();
    return Work.byRows(
        1,
        y,
        limits,
        () -> few.apply(1),
        () -> Work.byRows(fewTokens, y, limits, () -> few.apply(Few.TOKENS), many));
  }

  private Few few(OpenClWeights.Matrix matrix, int tokens) {
    ProductShape shape = tuner.shape(matrix.type());
    return tokens == 1 ? shape.one() : shape.few();
  }

  private Work matVec(
      OpenClWeights.Matrix matrix, int rows, int tokens, List<Argument> arguments, Value y) {
    Few shape = few(matrix, tokens);
    Map<String, String> defines = defines(matrix);
    defines.putAll(shape.defines());
    defines.put("TOKENS", String.valueOf(tokens));
    return maker.launch("mat_vec.cl", "mat_vec", defines, arguments, y, shape.grid(rows, tokens));
  }

  private Work tiled(OpenClWeights.Matrix matrix, int rows, List<Argument> arguments, Value y) {
    ProductShape.Many shape = tuner.shape(matrix.type()).many();
    Map<String, String> defines = defines(matrix);
    defines.putAll(shape.defines());
    return maker.launch("mat_mul.cl", "mat_mul", defines, arguments, y, shape.grid(rows));
  }

  /**
   * Both products and the activation in one launch for few tokens, where the weights are of one
   * type and each in one buffer; else one after the other.
   */
  Work gluMatMul(Node node, Activation activation) {
    OpenClWeights.Matrix gate = weights.matrix(node.weight(1));
    OpenClWeights.Matrix up = weights.matrix(node.weight(2));
    if (device.isPlain()
        || gate.type() != up.type()
        || gate.parts().size() != 1
        || up.parts().size() != 1) {
      return gluInParts(node, activation);
    }
    return byTokens(
        gate,
        node.output(),
        tokens -> gluMatVec(node, activation, gate, up, tokens),
        () -> gluInParts(node, activation));
  }

  private Work gluMatVec(
      Node node,
      Activation activation,
      OpenClWeights.Matrix gate,
      OpenClWeights.Matrix up,
      int tokens) {
    Value y = node.output();
    OpenClWeights.Part gatePart = gate.parts().getFirst();
    OpenClWeights.Part upPart = up.parts().getFirst();
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
            buffer(node.value(0)),
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

  private Work gluInParts(Node node, Activation activation) {
    Value x = node.value(0);
    Value y = node.output();
    DeviceBuffer up = rooms.room("a product", limits.tokens() * y.type().rowBytes());
    return new Work.Sequence(
        List.of(
            matMul(x, node.weight(2), y, up),
            matMul(x, node.weight(1), y),
            maker.glu(activation, places.apply(y), up, y)));
  }

  private Map<String, String> defines(OpenClWeights.Matrix matrix) {
    return ProductShape.weightDefines(device, matrix.type(), matrix.columns());
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
