package dev.kancil.backend.cuda;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.CacheKernels;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Node;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.RotaryEmbedding;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Attention, with the keys of each row divided among blocks where a step has few rows. Where it has
 * many, rows of one sequence are computed together on tensor cores, if these take the cache's
 * numbers, and other rows each by a block.
 */
final class AttentionKernels implements CacheKernels.Attend {
  /** Rows of a step up to which keys are divided among blocks. */
  private static final int FEW = 16;

  private final CacheKernels kernels;
  private final CudaTraits traits;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;

  AttentionKernels(CacheKernels kernels, ProgramMemory program, CudaTraits traits) {
    this.kernels = kernels;
    this.traits = traits;
    rooms = program.rooms();
    limits = program.limits();
    places = program.places();
  }

  @Override
  public Work of(Attention attention, DeviceBuffer queries, Value positions, Node node) {
    Optional<AttentionSplit> shape = AttentionSplit.of(attention, kernels.group(attention), traits);
    if (shape.isEmpty()) {
      return kernels.plainAttention(attention, queries, positions, node);
    }
    AttentionSplit split = shape.get();
    Launching launching = new Launching(attention, queries, positions, node);
    return Work.byRows(
        FEW, node.output(), limits, () -> few(split, launching), () -> many(split, launching));
  }

  /** Where keys are 16-bit numbers: a block then stores whole heads of them. */
  @Override
  public Optional<Work> turning(RotaryEmbedding rotary, Attention attention, Node node) {
    StateGroup cache = kernels.group(attention);
    return AttentionSplit.of(attention, cache, traits)
        .filter(shape -> shape.canTurn(attention, cache))
        .map(
            shape -> {
              Map<String, String> defines = shape.defines();
              defines.putAll(CacheKernels.rotaryDefines(rotary));
              return split(
                  shape,
                  defines,
                  shape.grid(),
                  new Launching(attention, places.apply(node.value(0)), node.value(3), node),
                  kernels.turningArguments(rotary, attention, node));
            });
  }

  /** What all launches of a node take. */
  private record Launching(Attention attention, DeviceBuffer queries, Value positions, Node node) {}

  private Work few(AttentionSplit split, Launching launching) {
    return split(split, split.defines(), split.grid(), launching);
  }

  private Work many(AttentionSplit split, Launching launching) {
    Attention attention = launching.attention();
    Optional<AttentionTiles> shape = AttentionTiles.of(attention, kernels.group(attention), traits);
    if (shape.isEmpty()) {
      return split(split, split.definesInTurn(), split.gridInTurn(), launching);
    }
    AttentionTiles tiles = shape.get();
    Work together =
        kernels.attention(
            "attention_tiles.h",
            "attention_tiles",
            attention,
            tiles.defines(),
            launching.queries(),
            launching.positions(),
            places.apply(launching.node().output()),
            launching.node(),
            tiles.grid());
    Work others = split(split, split.definesBeside(tiles), split.gridInTurn(), launching);
    return new Work.Sequence(List.of(together, others));
  }

  private Work split(
      AttentionSplit split, Map<String, String> defines, Grid grid, Launching launching) {
    return split(split, defines, grid, launching, List.of());
  }

  private Work split(
      AttentionSplit split,
      Map<String, String> defines,
      Grid grid,
      Launching launching,
      List<Argument> further) {
    List<Argument> all = new ArrayList<>();
    all.add(new Argument.Buffer(rooms.room("partial attention", split.partialBytes(FEW))));
    all.add(new Argument.Buffer(ended(split)));
    all.add(new Argument.Whole(split.splits()));
    all.addAll(further);
    return kernels.attention(
        "attention_split.h",
        "attention_split",
        launching.attention(),
        defines,
        launching.queries(),
        launching.positions(),
        places.apply(launching.node().output()),
        launching.node(),
        grid,
        all);
  }

  /** Zeros, which each launch leaves as it found them. */
  private DeviceBuffer ended(AttentionSplit split) {
    long bytes = split.endedBytes(FEW);
    DeviceBuffer room = rooms.room("ended splits", bytes);
    try (Arena arena = Arena.ofConfined()) {
      rooms.memory().write(room, 0, arena.allocate(bytes));
    }
    return room;
  }
}
