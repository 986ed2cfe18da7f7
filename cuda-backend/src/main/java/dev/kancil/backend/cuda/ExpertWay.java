package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Grid;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A way to multiply tiles of slots with their experts' matrices.
 *
 * @param mostSlots of an expert, on average over those that a step uses, up to which it is taken
 * @param tileSlots of a tile, at most
 * @param kernel which does it, in a file of its name
 * @param shape as the kernel's defines
 */
record ExpertWay(
    int mostSlots, int tileSlots, String kernel, Map<String, String> shape, Grid grid) {
  /**
   * All ways, from that for the fewest slots on. Tiles are the same for all products of the same
   * slots, so that these are sorted once; from the number of a step's rows alone follows which.
   *
   * @param factors one, or gate and up, of one type
   */
  static List<ExpertWay> of(List<Factor> factors, SlotTiles tiles, CudaTraits traits) {
    List<ExpertWay> ways = new ArrayList<>();
    // As many blocks as find room, since memory is what is waited for.
    ways.add(onWarps(16, false, factors, tiles, traits));
    if (traits.hasExpertWarpgroups()) {
      // Where twice as wide tiles begin to cost less, if half of an expert's last one is empty.
      ways.add(onWarpgroups(48, WarpgroupShape.OF_64, factors, tiles));
      ways.add(onWarpgroups(192, WarpgroupShape.OF_128, factors, tiles));
      ways.add(onWarpgroups(Integer.MAX_VALUE, WarpgroupShape.OF_256, factors, tiles));
    } else {
      ways.add(onWarps(Integer.MAX_VALUE, true, factors, tiles, traits));
    }
    return ways;
  }

  private static ExpertWay onWarps(
      int mostSlots, boolean isWide, List<Factor> factors, SlotTiles tiles, CudaTraits traits) {
    boolean isPaired = factors.size() == 2;
    MatMulShape shape =
        MatMulShape.ofExperts(factors.getFirst().format(), isPaired, isWide).within(traits);
    int rows = factors.stream().mapToInt(Factor::rows).sum();
    return new ExpertWay(
        mostSlots, shape.blockTokens(), "mat_mul", shape.defines(), shape.grid(rows, tiles));
  }

  private static ExpertWay onWarpgroups(
      int mostSlots, WarpgroupShape shape, List<Factor> factors, SlotTiles tiles) {
    Factor first = factors.getFirst();
    int rowBlocks = Math.ceilDiv(first.rows(), shape.blockRows(factors.size() == 2));
    return new ExpertWay(
        mostSlots,
        shape.tokens(),
        "mat_mul_warpgroups",
        shape.defines(),
        shape.grid(rowBlocks, first.format(), tiles));
  }
}
