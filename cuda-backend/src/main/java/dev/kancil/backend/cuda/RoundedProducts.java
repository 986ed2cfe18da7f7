package dev.kancil.backend.cuda;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Value;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Products of many tokens with weights in tiles: activations are rounded to halves or bfloats. */
final class RoundedProducts {
  /** The most tokens that a block takes, whatever its shape. */
  private static final int MOST_BLOCK_TOKENS = 256;

  private static final int NARROW = 256;
  private static final int WIDE = 512;

  /** Columns up to which blocks that round a row are narrow. */
  private static final int NARROW_COLUMNS = 8192;

  private final LaunchMaker maker;
  private final CudaTraits traits;
  private final Rooms rooms;
  private final StepLimits limits;

  RoundedProducts(LaunchMaker maker, ProgramMemory program, CudaTraits traits) {
    this.maker = maker;
    this.traits = traits;
    rooms = program.rooms();
    limits = program.limits();
  }

  /** Activations as halves or bfloats, and what makes them so. */
  private record Rounded(Work work, DeviceBuffer numbers, DeviceBuffer inverses) {}

  private Rounded round(ProductInput x, Factor factor, Value y) {
    int columns = factor.matrix().columns();
    // Blocks read whole tiles of tokens, whatever lies behind the last.
    long padded = (long) limits.rows(x.like().type().rows()) + MOST_BLOCK_TOKENS;
    long width = Math.ceilDiv(columns, 256) * 256L;
    DeviceBuffer numbers = rooms.room("rounded activations", padded * width * Short.BYTES);
    DeviceBuffer inverses = rooms.room("scales of activations", padded * Float.BYTES);
    int threads = columns <= NARROW_COLUMNS ? NARROW : WIDE;
    Map<String, String> defines = new HashMap<>(x.defines());
    defines.put("COLUMNS", String.valueOf(columns));
    defines.put("THREADS", String.valueOf(threads));
    if (factor.matrix().type() == DataType.BF16) {
      defines.put("BFLOATS", "");
    }
    List<Argument> arguments = new ArrayList<>(x.arguments());
    arguments.add(new Argument.Buffer(numbers));
    arguments.add(new Argument.Buffer(inverses));
    Work work =
        maker.launch(
            "round_rows.h", "round_rows", defines, arguments, y, Grid.of(threads, rows -> rows));
    return new Rounded(work, numbers, inverses);
  }

  /** Products with matrices whose activations are rounded alike. */
  Work of(ProductInput x, List<Factor> factors, Value y) {
    Rounded rounded = round(x, factors.getFirst(), y);
    Work products =
        Work.byRows(
            MatMulShape.FEW_TOKENS,
            y,
            limits,
            () -> apart(rounded, factors, MatMulShape::few, y),
            () ->
                traits.hasWarpgroups()
                    ? together(rounded, factors, Map.of(), y)
                    : apart(rounded, factors, MatMulShape::many, y));
    return new Work.Sequence(List.of(rounded.work(), products));
  }

  /** Rows of a step up to which it is not one for {@link #glu}. */
  static int mostTokensWithoutGlu(CudaTraits traits) {
    return traits.hasWarpgroups() ? MatMulShape.FEW_TOKENS : Integer.MAX_VALUE;
  }

  /**
   * Gate and up, of one type, and their activation in one.
   *
   * @param activation as defines
   */
  Work glu(ProductInput x, List<Factor> factors, Map<String, String> activation, Value y) {
    Rounded rounded = round(x, factors.getFirst(), y);
    return new Work.Sequence(List.of(rounded.work(), together(rounded, factors, activation, y)));
  }

  /** A launch for each matrix. */
  private Work apart(
      Rounded rounded, List<Factor> factors, Function<TileFormat, MatMulShape> shapes, Value y) {
    List<Work> launches = new ArrayList<>();
    for (Factor factor : factors) {
      MatMulShape shape = shapes.apply(factor.format()).within(traits);
      List<Argument> arguments = arguments(rounded);
      arguments.addAll(Factor.arguments(List.of(factor)));
      launches.add(
          maker.launch(
              "mat_mul.h",
              "mat_mul",
              shape.defines(factor.matrix().columns()),
              arguments,
              y,
              shape.grid(factor.rows())));
    }
    return new Work.Sequence(launches);
  }

  private static List<Argument> arguments(Rounded rounded) {
    List<Argument> arguments = new ArrayList<>();
    arguments.add(new Argument.Buffer(rounded.numbers()));
    arguments.add(new Argument.Buffer(rounded.inverses()));
    return arguments;
  }

  /**
   * One launch for all matrices, where four warps multiply together.
   *
   * @param activation of gate and up, as defines; else none
   */
  private Work together(
      Rounded rounded, List<Factor> factors, Map<String, String> activation, Value y) {
    boolean isGlu = !activation.isEmpty();
    List<TileFormat> formats = factors.stream().map(Factor::format).toList();
    List<Argument> arguments = arguments(rounded);
    arguments.addAll(Factor.arguments(factors));
    List<CheapestWork.Way> ways = new ArrayList<>();
    for (WarpgroupShape shape : isGlu ? WarpgroupShape.PAIRED : WarpgroupShape.ALL) {
      int blockRows = shape.blockRows(isGlu);
      int rowBlocks =
          factors.stream()
              .limit(isGlu ? 1 : factors.size())
              .mapToInt(factor -> Math.ceilDiv(factor.rows(), blockRows))
              .sum();
      Map<String, String> defines = Factor.defines(factors);
      defines.putAll(activation);
      defines.putAll(shape.defines());
      ways.add(
          new CheapestWork.Way(
              rows -> shape.cost(rows, rowBlocks, traits),
              () ->
                  maker.launch(
                      "mat_mul_warpgroups.h",
                      "mat_mul_warpgroups",
                      defines,
                      arguments,
                      y,
                      shape.grid(rowBlocks, formats))));
    }
    boolean perOutput = Work.isPerOutput(y);
    int most = perOutput ? limits.outputs() : limits.tokens();
    return new CheapestWork(ways, MatMulShape.FEW_TOKENS + 1, most, perOutput);
  }
}
