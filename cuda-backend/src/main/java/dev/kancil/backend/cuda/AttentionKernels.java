package dev.kancil.backend.cuda;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.CacheKernels;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Attention;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Attention with the keys of each row divided among blocks where a step has few rows, and with a
 * block for each row and KV head where it has many.
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
    Value y = node.output();
    return Work.byRows(
        FEW,
        y,
        limits,
        () -> split(split, false, attention, queries, positions, y),
        () -> split(split, true, attention, queries, positions, y));
  }

  private Work split(
      AttentionSplit split,
      boolean isInTurn,
      Attention attention,
      DeviceBuffer queries,
      Value positions,
      Value y) {
    return kernels.attention(
        "attention_split.h",
        "attention_split",
        attention,
        split.defines(isInTurn),
        queries,
        positions,
        places.apply(y),
        y,
        split.grid(isInTurn),
        List.of(
            new Argument.Buffer(rooms.room("partial attention", split.partialBytes(FEW))),
            new Argument.Buffer(ended(split))));
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
