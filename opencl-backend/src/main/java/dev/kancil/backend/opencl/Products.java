package dev.kancil.backend.opencl;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.opencl.Launch.Argument;
import dev.kancil.backend.opencl.Launch.Grid;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Products with weights, and rows of them. */
final class Products {
  /** Tokens of a step up to which a product goes through the weights for each few of them. */
  private static final int FEW = 8;

  private final LaunchMaker maker;
  private final OpenClWeights weights;
  private final Rooms rooms;
  private final StepLimits limits;
  private final ProductShape shape;
  private final Function<Value, DeviceBuffer> places;

  Products(
      LaunchMaker maker,
      OpenClWeights weights,
      Rooms rooms,
      StepLimits limits,
      ClDevice device,
      Function<Value, DeviceBuffer> places) {
    this.maker = maker;
    this.weights = weights;
    this.rooms = rooms;
    this.limits = limits;
    this.places = places;
    this.shape = ProductShape.of(device);
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
              embeddingGrid(table.columns())));
    }
    return new Work.Sequence(launches);
  }

  private static Grid embeddingGrid(int columns) {
    int vectors = Math.ceilDiv(columns, 16);
    int local = Math.min(vectors, 64);
    return new Grid(
        new long[] {local, 1},
        (rows, groups) -> {
          groups[0] = Math.ceilDiv(vectors, local);
          groups[1] = rows;
        });
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
      boolean perOutput = LaunchMaker.isPerOutput(y);
      launches.add(
          new Work.ByRows(
              1,
              perOutput,
              matVec(matrix, part.rows(), 1, arguments, y),
              new Work.ByRows(
                  FEW,
                  perOutput,
                  matVec(matrix, part.rows(), FEW, arguments, y),
                  tiled(matrix, part.rows(), arguments, y))));
    }
    return launches.size() == 1 ? launches.getFirst() : new Work.Sequence(launches);
  }

  private Work matVec(
      OpenClWeights.Matrix matrix, int rows, int tokens, List<Argument> arguments, Value y) {
    Map<String, String> defines = defines(matrix);
    defines.putAll(shape.few().defines());
    defines.put("TOKENS", String.valueOf(tokens));
    return maker.launch(
        "mat_vec.cl", "mat_vec", defines, arguments, y, shape.few().grid(rows, tokens));
  }

  private Work tiled(OpenClWeights.Matrix matrix, int rows, List<Argument> arguments, Value y) {
    Map<String, String> defines = defines(matrix);
    defines.putAll(shape.many().defines());
    return maker.launch("mat_mul.cl", "mat_mul", defines, arguments, y, shape.many().grid(rows));
  }

  Work gluMatMul(Node node, Activation activation) {
    Value x = node.value(0);
    Value y = node.output();
    DeviceBuffer up = rooms.room("a product", limits.tokens() * y.type().rowBytes());
    int columns = y.type().columns();
    return new Work.Sequence(
        List.of(
            matMul(x, node.weight(2), y, up),
            matMul(x, node.weight(1), y),
            maker.launch(
                "element_wise.cl",
                "glu_in_place",
                Map.of("ACTIVATION_" + activation.name(), ""),
                List.of(buffer(y), new Argument.Buffer(up), new Argument.Whole(columns)),
                y,
                Grid.of(256, rows -> Math.ceilDiv((long) rows * columns, 256)))));
  }

  private Map<String, String> defines(OpenClWeights.Matrix matrix) {
    Map<String, String> defines = new HashMap<>(shape.common());
    defines.put("WEIGHT_" + matrix.type().name(), "");
    defines.put("COLUMNS", String.valueOf(matrix.columns()));
    return defines;
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
