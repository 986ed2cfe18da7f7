package dev.kancil.backend.cuda;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Products of many tokens with weights in tiles: activations are rounded to halves or bfloats. */
final class RoundedProducts {
  private final LaunchMaker maker;
  private final CudaTraits traits;
  private final ProgramMemory program;
  private final StepLimits limits;

  RoundedProducts(LaunchMaker maker, ProgramMemory program, CudaTraits traits) {
    this.maker = maker;
    this.traits = traits;
    this.program = program;
    limits = program.limits();
  }

  private RoundedActivations round(ProductInput x, Factor factor, Value y) {
    return RoundedActivations.of(x, 1, factor, y, maker, program);
  }

  /** Products with matrices whose activations are rounded alike. */
  Work of(ProductInput x, List<Factor> factors, Value y) {
    RoundedActivations rounded = round(x, factors.getFirst(), y);
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
    RoundedActivations rounded = round(x, factors.getFirst(), y);
    return new Work.Sequence(List.of(rounded.work(), together(rounded, factors, activation, y)));
  }

  /** A launch for each matrix. */
  private Work apart(
      RoundedActivations rounded,
      List<Factor> factors,
      Function<TileFormat, MatMulShape> shapes,
      Value y) {
    List<Work> launches = new ArrayList<>();
    for (Factor factor : factors) {
      MatMulShape shape = shapes.apply(factor.format()).within(traits);
      List<Argument> arguments = new ArrayList<>(rounded.arguments());
      arguments.addAll(Factor.arguments(List.of(factor)));
      Map<String, String> defines = Factor.defines(List.of(factor));
      defines.putAll(shape.defines());
      launches.add(
          maker.launch("mat_mul.h", "mat_mul", defines, arguments, y, shape.grid(factor.rows())));
    }
    return new Work.Sequence(launches);
  }

  /**
   * One launch for all matrices, where four warps multiply together.
   *
   * @param activation of gate and up, as defines; else none
   */
  private Work together(
      RoundedActivations rounded, List<Factor> factors, Map<String, String> activation, Value y) {
    boolean isGlu = !activation.isEmpty();
    List<TileFormat> formats = factors.stream().map(Factor::format).toList();
    List<Argument> arguments = new ArrayList<>(rounded.arguments());
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
    return new CheapestWork(ways, MatMulShape.FEW_TOKENS + 1, most, perOutput, traits.units() == 0);
  }
}
