package dev.kancil.backend.cuda;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.PlainProducts;
import dev.kancil.backend.accelerator.ProductKernels;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
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
 * Products with weights in tiles, on tensor cores, and rows of them. Float32 weights are multiplied
 * as they are stored, and what tensor cores don't take is, plainly.
 */
final class TileProducts implements ProductKernels {
  /** Matrices of one launch. */
  private static final int MOST_PARTS = 3;

  private static final int FLOAT_WARPS = 4;

  /** Tokens up to which each is multiplied by itself, unrounded. */
  private static final int FEW_TOKENS = 4;

  private static final int ROUNDING_LANES = 256;

  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final PlainProducts plain;
  private final WeightTiles tiles;
  private final CudaTraits traits;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;

  TileProducts(
      LaunchMaker maker,
      AcceleratorWeights weights,
      ProgramMemory program,
      PlainProducts plain,
      WeightTiles tiles,
      CudaTraits traits) {
    this.maker = maker;
    this.weights = weights;
    this.plain = plain;
    this.tiles = tiles;
    this.traits = traits;
    rooms = program.rooms();
    limits = program.limits();
    places = program.places();
  }

  @Override
  public Work embedding(Node node) {
    AcceleratorWeights.Matrix table = weights.matrix(node.weight(1));
    if (!tiles.takes(table.type())) {
      return plain.embedding(node);
    }
    Value y = node.output();
    return maker.launch(
        "tile_rows.h",
        "tile_rows",
        Map.of("FORMAT", format(table).kernelType(), "COLUMNS", String.valueOf(table.columns())),
        List.of(
            buffer(node.value(0)),
            new Argument.Buffer(table.parts().getFirst().buffer()),
            buffer(y)),
        y,
        Grid.perRow(table.columns()));
  }

  /**
   * A matrix and where its products go.
   *
   * @param rows of the matrix, or of each expert's
   */
  private record Factor(
      Weight weight, AcceleratorWeights.Matrix matrix, DeviceBuffer target, int rows) {}

  private Factor factor(Weight weight, DeviceBuffer target) {
    return new Factor(
        weight, weights.matrix(weight), target, Math.toIntExact(weight.shape().dimension(-2)));
  }

  @Override
  public Work matMul(Value x, Weight weight, Value y) {
    return products(x, List.of(factor(weight, places.apply(y))), y);
  }

  @Override
  public Work parallelMatMul(Node node) {
    List<Factor> factors = new ArrayList<>();
    for (int i = 0; i < node.outputs().size(); i++) {
      factors.add(factor(node.weight(1 + i), places.apply(node.outputs().get(i))));
    }
    return products(node.value(0), factors, node.outputs().getFirst());
  }

  /**
   * Products of one x, as many in a launch as can share what becomes of x.
   *
   * @param y whose number of rows they have
   */
  private Work products(Value x, List<Factor> factors, Value y) {
    List<Work> launches = new ArrayList<>();
    List<Factor> together = new ArrayList<>();
    for (Factor factor : factors) {
      if (!together.isEmpty()
          && (together.size() == MOST_PARTS || !canShare(together.getFirst(), factor))) {
        launches.add(product(x, together, y));
        together = new ArrayList<>();
      }
      together.add(factor);
    }
    launches.add(product(x, together, y));
    return launches.size() == 1 ? launches.getFirst() : new Work.Sequence(launches);
  }

  private boolean canShare(Factor one, Factor other) {
    return tiles.takes(one.matrix().type())
        && tiles.takes(other.matrix().type())
        && (one.matrix().type() == DataType.BF16) == (other.matrix().type() == DataType.BF16);
  }

  private Work product(Value x, List<Factor> factors, Value y) {
    Factor first = factors.getFirst();
    if (!tiles.takes(first.matrix().type())) {
      return first.matrix().type() == DataType.F32
          ? floatProduct(x, first, y)
          : plain.product(x, first.weight(), y, first.target());
    }
    return Work.byRows(
        FEW_TOKENS, y, limits, () -> matVec(x, factors, Map.of(), y), () -> rounded(x, factors, y));
  }

  /** Products of rounded activations. */
  private Work rounded(Value x, List<Factor> factors, Value y) {
    int columns = factors.getFirst().matrix().columns();
    boolean isBfloat = factors.getFirst().matrix().type() == DataType.BF16;
    long rows = limits.rows(x.type().rows());
    // Blocks read whole tiles of tokens, whatever lies behind the last.
    long padded = rows + MatMulShape.MOST_BLOCK_TOKENS;
    long width = Math.ceilDiv(columns, 256) * 256L;
    DeviceBuffer halves = rooms.room("rounded activations", padded * width * Short.BYTES);
    DeviceBuffer inverses = rooms.room("scales of activations", padded * Float.BYTES);
    Map<String, String> defines = new HashMap<>();
    defines.put("COLUMNS", String.valueOf(columns));
    defines.put("LANES", String.valueOf(ROUNDING_LANES));
    if (isBfloat) {
      defines.put("BFLOATS", "");
    }
    List<Work> launches = new ArrayList<>();
    launches.add(
        maker.launch(
            "round_rows.h",
            "round_rows",
            defines,
            List.of(buffer(x), new Argument.Buffer(halves), new Argument.Buffer(inverses)),
            y,
            Grid.of(ROUNDING_LANES, count -> count)));
    for (Factor factor : factors) {
      TileFormat format = format(factor.matrix());
      launches.add(
          Work.byRows(
              MatMulShape.FEW_TOKENS,
              y,
              limits,
              () -> matMul(MatMulShape.few(format), halves, inverses, factor, y),
              () -> matMul(MatMulShape.many(format), halves, inverses, factor, y)));
    }
    return new Work.Sequence(launches);
  }

  private Work matMul(
      MatMulShape wished, DeviceBuffer halves, DeviceBuffer inverses, Factor factor, Value y) {
    MatMulShape shape = wished.within(traits);
    return maker.launch(
        "mat_mul.h",
        "mat_mul",
        shape.defines(factor.matrix().columns()),
        List.of(
            new Argument.Buffer(halves),
            new Argument.Buffer(inverses),
            new Argument.Weights(factor.matrix().parts().getFirst().buffer()),
            new Argument.Buffer(factor.target()),
            new Argument.Whole(factor.rows())),
        y,
        shape.grid(factor.rows()));
  }

  private Work floatProduct(Value x, Factor factor, Value y) {
    List<Work> launches = new ArrayList<>();
    for (AcceleratorWeights.Part part : factor.matrix().parts()) {
      launches.add(
          maker.launch(
              "mat_vec_floats.h",
              "mat_vec_floats",
              Map.of(
                  "COLUMNS",
                  String.valueOf(factor.matrix().columns()),
                  "WARPS",
                  String.valueOf(FLOAT_WARPS)),
              List.of(
                  buffer(x),
                  new Argument.Weights(part.buffer()),
                  new Argument.Offset(part.at()),
                  new Argument.Whole(part.firstRow()),
                  new Argument.Whole(part.rows()),
                  new Argument.Buffer(factor.target()),
                  new Argument.Whole(factor.rows())),
              y,
              new Grid(
                  new long[] {32 * FLOAT_WARPS, 1},
                  (rows, groups) -> {
                    groups[0] = Math.ceilDiv(part.rows(), FLOAT_WARPS);
                    groups[1] = rows;
                  })));
    }
    return launches.size() == 1 ? launches.getFirst() : new Work.Sequence(launches);
  }

  private Work matVec(Value x, List<Factor> factors, Map<String, String> further, Value y) {
    MatVecShape shape = shape(factors);
    Map<String, String> defines = defines(factors, shape);
    defines.putAll(further);
    List<Argument> arguments = new ArrayList<>();
    arguments.add(buffer(x));
    addFactors(arguments, factors);
    int sum = factors.stream().mapToInt(factor -> TileFormat.tiles(factor.rows())).sum();
    int blocks = shape.blocks(further.containsKey("GLU") ? sum / 2 : sum, traits);
    return maker.launch("mat_vec.h", "mat_vec", defines, arguments, y, shape.grid(blocks, 1));
  }

  private MatVecShape shape(List<Factor> factors) {
    return MatVecShape.of(
        factors.stream().map(factor -> format(factor.matrix())).toList(),
        factors.getFirst().matrix().columns(),
        traits);
  }

  private static Map<String, String> defines(List<Factor> factors, MatVecShape shape) {
    Map<String, String> defines = new HashMap<>(shape.defines());
    defines.put("COLUMNS", String.valueOf(factors.getFirst().matrix().columns()));
    defines.put("PARTS", String.valueOf(factors.size()));
    for (int i = 0; i < factors.size(); i++) {
      defines.put("FORMAT_" + i, format(factors.get(i).matrix()).kernelType());
    }
    return defines;
  }

  private static void addFactors(List<Argument> arguments, List<Factor> factors) {
    for (Factor factor : factors) {
      arguments.add(new Argument.Weights(factor.matrix().parts().getFirst().buffer()));
      arguments.add(new Argument.Buffer(factor.target()));
      arguments.add(new Argument.Whole(factor.rows()));
    }
  }

  /** In one launch for few tokens, where the weights are of one type. */
  @Override
  public Work gluMatMul(Node node, Activation activation) {
    Value x = node.value(0);
    Value y = node.output();
    DeviceBuffer target = places.apply(y);
    Factor gate = factor(node.weight(1), target);
    Factor up = factor(node.weight(2), target);
    if (gate.matrix().type() == up.matrix().type() && tiles.takes(gate.matrix().type())) {
      return Work.byRows(
          FEW_TOKENS,
          y,
          limits,
          () -> matVec(x, List.of(gate, up), gluDefines(activation), y),
          () -> gluInParts(node, activation, gate));
    }
    return gluInParts(node, activation, gate);
  }

  private Work gluInParts(Node node, Activation activation, Factor gate) {
    Value y = node.output();
    DeviceBuffer upRoom = upRoom(y);
    return new Work.Sequence(
        List.of(
            products(node.value(0), List.of(gate, factor(node.weight(2), upRoom)), y),
            maker.glu(activation, gate.target(), upRoom, y)));
  }

  private static Map<String, String> gluDefines(Activation activation) {
    return Map.of("GLU", "", "ACTIVATION_" + activation.name(), "");
  }

  private DeviceBuffer upRoom(Value y) {
    return rooms.room("a product", limits.tokens() * y.type().rowBytes());
  }

  @Override
  public Work expertMatMul(Node node) {
    return experts(node, 1, places.apply(node.output()));
  }

  /** Both products and the activation in one launch, where the weights are of one type. */
  @Override
  public Work expertGluMatMul(Node node, Activation activation) {
    Value y = node.output();
    DeviceBuffer target = places.apply(y);
    Factor gate = factor(node.weight(1), target);
    Factor up = factor(node.weight(2), target);
    if (gate.matrix().type() == up.matrix().type() && tiles.takes(gate.matrix().type())) {
      return experts(node, List.of(gate, up), gluDefines(activation));
    }
    DeviceBuffer upRoom = upRoom(y);
    return new Work.Sequence(
        List.of(
            experts(node, 1, target),
            experts(node, 2, upRoom),
            maker.glu(activation, target, upRoom, y)));
  }

  private Work experts(Node node, int index, DeviceBuffer target) {
    Factor factor = factor(node.weight(index), target);
    return tiles.takes(factor.matrix().type())
        ? experts(node, List.of(factor), Map.of())
        : plain.experts(node, index, target);
  }

  /** Slots times the matrices of their experts. */
  private Work experts(Node node, List<Factor> factors, Map<String, String> further) {
    Value x = node.value(0);
    Value ids = node.value(node.inputs().size() - 1);
    Value y = node.output();
    int used = ids.type().columns();
    Weight weight = node.weight(1);
    MatVecShape shape = shape(factors);
    Map<String, String> defines = defines(factors, shape);
    defines.putAll(further);
    defines.put("EXPERTS", String.valueOf(weight.shape().dimension(0)));
    List<Argument> arguments = new ArrayList<>();
    arguments.add(buffer(x));
    arguments.add(buffer(ids));
    arguments.add(new Argument.Whole(used));
    arguments.add(new Argument.Whole(MoeMatMul.isApart(x, weight) ? 1 : used));
    addFactors(arguments, factors);
    int blocks = shape.blocks(TileFormat.tiles(factors.getFirst().rows()), traits);
    return maker.launch("mat_vec.h", "mat_vec", defines, arguments, y, shape.grid(blocks, used));
  }

  private static TileFormat format(AcceleratorWeights.Matrix matrix) {
    return TileFormat.of(matrix.type()).orElseThrow();
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
