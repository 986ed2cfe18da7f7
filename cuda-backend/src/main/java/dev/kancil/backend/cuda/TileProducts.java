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
import dev.kancil.backend.accelerator.RowKernels;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
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

  private final LaunchMaker maker;
  private final AcceleratorWeights weights;
  private final PlainProducts plain;
  private final RowKernels rowKernels;
  private final RoundedProducts rounded;
  private final ExpertProducts experts;
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
      RowKernels rowKernels,
      WeightTiles tiles,
      CudaTraits traits) {
    this.maker = maker;
    this.weights = weights;
    this.plain = plain;
    this.rowKernels = rowKernels;
    this.tiles = tiles;
    this.traits = traits;
    rounded = new RoundedProducts(maker, program, traits);
    experts = new ExpertProducts(maker, program, traits);
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
        Map.of(
            "FORMAT",
            TileFormat.of(table.type()).orElseThrow().kernelType(),
            "COLUMNS",
            String.valueOf(table.columns())),
        List.of(
            buffer(node.value(0)),
            new Argument.Buffer(table.parts().getFirst().buffer()),
            buffer(y)),
        y,
        Grid.perRow(table.columns()));
  }

  private Factor factor(Weight weight, DeviceBuffer target) {
    return new Factor(
        weight, weights.matrix(weight), target, Math.toIntExact(weight.shape().dimension(-2)));
  }

  /** A node's matrices from input {@code first} on, and the outputs that their products are. */
  private List<Factor> factors(Node node, int first, List<Value> outputs) {
    List<Factor> factors = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      factors.add(factor(node.weight(first + i), places.apply(outputs.get(i))));
    }
    return factors;
  }

  private ProductInput.Given given(Value x) {
    return new ProductInput.Given(x, places.apply(x));
  }

  @Override
  public Work matMul(Value x, Weight weight, Value y) {
    return products(given(x), List.of(factor(weight, places.apply(y))), y);
  }

  @Override
  public Work parallelMatMul(Node node) {
    return products(
        given(node.value(0)), factors(node, 1, node.outputs()), node.outputs().getFirst());
  }

  @Override
  public Work gluMatMul(Node node, Activation activation) {
    Value y = node.output();
    Factor gate = factor(node.weight(1), places.apply(y));
    return glu(given(node.value(0)), gate, node.weight(2), activation, y);
  }

  /** Products compute the norm themselves where the weights lie in tiles and share a launch. */
  @Override
  public Work normedProduct(NormedProduct op, Node node) {
    int first = op.normInputs();
    List<Value> outputs = node.outputs().subList(op.isSum() ? 1 : 0, node.outputs().size());
    Value y = outputs.getFirst();
    List<Factor> factors = factors(node, first, outputs);
    ProductInput.Normed normed = new ProductInput.Normed(op, node, weights, places);
    if (op.product() instanceof GluMatMul(var activation)) {
      Factor gate = factors.getFirst();
      Weight up = node.weight(first + 1);
      Factor other = factor(up, gate.target());
      return canPair(gate, other) && fitsBlock(List.of(gate, other))
          ? glu(normed, gate, up, activation, y)
          : behindNorm(op, node, x -> glu(x, gate, up, activation, y));
    }
    boolean areTogether =
        factors.size() <= MOST_PARTS
            && factors.stream().allMatch(factor -> canShare(factors.getFirst(), factor))
            && fitsBlock(factors);
    return areTogether
        ? tileProducts(normed, factors, y)
        : behindNorm(op, node, x -> products(x, factors, y));
  }

  /** A launch for the norm, then the products of what it yields. */
  private Work behindNorm(
      NormedProduct op, Node node, Function<ProductInput.Given, Work> products) {
    ValueType type = node.value(0).type();
    DeviceBuffer place =
        rooms.room("normed activations", limits.rows(type.rows()) * type.rowBytes());
    ProductInput.Given normed = new ProductInput.Given(node.value(0), place);
    return new Work.Sequence(List.of(rowKernels.norm(op, node, place), products.apply(normed)));
  }

  /**
   * Products of one x, as many in a launch as can share what becomes of x.
   *
   * @param y whose number of rows they have
   */
  private Work products(ProductInput.Given x, List<Factor> factors, Value y) {
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

  private Work product(ProductInput.Given x, List<Factor> factors, Value y) {
    Factor first = factors.getFirst();
    if (tiles.takes(first.matrix().type())) {
      return tileProducts(x, List.copyOf(factors), y);
    }
    return first.matrix().type() == DataType.F32
        ? floatProduct(x, first, y)
        : plain.product(x.like(), x.place(), first.weight(), y, first.target());
  }

  private Work tileProducts(ProductInput x, List<Factor> factors, Value y) {
    return Work.byRows(
        FEW_TOKENS,
        y,
        limits,
        () -> matVec(x, factors, Map.of(), y),
        () -> rounded.of(x, factors, y));
  }

  private Work floatProduct(ProductInput.Given x, Factor factor, Value y) {
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
                  new Argument.Buffer(x.place()),
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

  /** In several launches where rows are too long for a block, for x as it lies and without GLU. */
  private Work matVec(ProductInput x, List<Factor> factors, Map<String, String> further, Value y) {
    int sum = factors.stream().mapToInt(factor -> TileFormat.tiles(factor.rows())).sum();
    List<Argument> arguments = new ArrayList<>(x.arguments());
    arguments.addAll(Factor.arguments(factors));
    List<Work> launches = new ArrayList<>();
    for (MatVecShape.Slice slice : MatVecShape.slices(factors, traits)) {
      Map<String, String> defines = Factor.defines(factors);
      defines.putAll(x.defines());
      defines.putAll(slice.defines(factors.getFirst().matrix().columns()));
      defines.putAll(further);
      int blocks = slice.shape().blocks(further.containsKey("GLU") ? sum / 2 : sum, traits);
      Grid grid = slice.shape().grid(blocks, 1);
      launches.add(maker.launch("mat_vec.h", "mat_vec", defines, arguments, y, grid));
    }
    return launches.size() == 1 ? launches.getFirst() : new Work.Sequence(launches);
  }

  /** Whether a block has room for a row of x. */
  private boolean fitsBlock(List<Factor> factors) {
    return MatVecShape.slices(factors, traits).size() == 1;
  }

  /** Whether gate and up can be one launch. */
  private boolean canPair(Factor gate, Factor up) {
    return gate.matrix().type() == up.matrix().type() && tiles.takes(gate.matrix().type());
  }

  /**
   * In one launch where the weights are of one type.
   *
   * @param gate whose products go where the result does
   */
  private Work glu(ProductInput x, Factor gate, Weight upWeight, Activation activation, Value y) {
    List<Factor> both = List.of(gate, factor(upWeight, gate.target()));
    if (!canPair(gate, both.getLast()) || !fitsBlock(both)) {
      return gluInParts(x, gate, upWeight, activation, y);
    }
    return Work.byRows(
        FEW_TOKENS,
        y,
        limits,
        () -> matVec(x, both, gluDefines(activation), y),
        () ->
            Work.byRows(
                RoundedProducts.mostTokensWithoutGlu(traits),
                y,
                limits,
                () -> gluInParts(x, gate, upWeight, activation, y),
                () -> rounded.glu(x, both, gluDefines(activation), y)));
  }

  private Work gluInParts(
      ProductInput x, Factor gate, Weight upWeight, Activation activation, Value y) {
    DeviceBuffer upRoom = upRoom(y);
    List<Factor> factors = List.of(gate, factor(upWeight, upRoom));
    Work products =
        switch (x) {
          case ProductInput.Given given -> products(given, factors, y);
          case ProductInput.Normed normed -> rounded.of(normed, factors, y);
        };
    return new Work.Sequence(List.of(products, maker.glu(activation, gate.target(), upRoom, y)));
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
    if (canPair(gate, up) && fitsBlock(List.of(gate, up))) {
      return experts.of(node, List.of(gate, up), gluDefines(activation));
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
        ? experts.of(node, List.of(factor), Map.of())
        : plain.experts(node, index, target);
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
