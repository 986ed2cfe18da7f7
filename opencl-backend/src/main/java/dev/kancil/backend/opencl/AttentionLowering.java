package dev.kancil.backend.opencl;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.CacheKernels;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Attention;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Attention, in tiles for many rows, and for few with the keys divided among work-groups. */
final class AttentionLowering implements CacheKernels.Attend {
  /** Rows of a step up to which keys are divided among work-groups. */
  private static final int FEW = 8;

  private final LaunchMaker maker;
  private final CacheKernels kernels;
  private final ClDevice device;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;

  AttentionLowering(
      LaunchMaker maker, CacheKernels kernels, ProgramMemory program, ClDevice device) {
    this.maker = maker;
    this.kernels = kernels;
    this.device = device;
    rooms = program.rooms();
    limits = program.limits();
    places = program.places();
  }

  @Override
  public Work of(Attention attention, DeviceBuffer q, Value positions, Node node) {
    Value y = node.output();
    return Work.byRows(
        FEW,
        y,
        limits,
        () -> partial(attention, q, positions, node),
        () -> {
          AttentionTile tile = AttentionTile.of(attention, device);
          return kernels.attention(
              "attention.cl",
              "attention",
              attention,
              tile.defines(),
              q,
              positions,
              places.apply(y),
              node,
              tile.grid(attention.kvHeads()));
        });
  }

  /** Where keys are divided among work-groups, their results are then put together. */
  private Work partial(Attention attention, DeviceBuffer q, Value positions, Node node) {
    Value y = node.output();
    AttentionSplit split = AttentionSplit.of(attention, device);
    DeviceBuffer target = places.apply(y);
    if (split.splits() > 1) {
      long floats = (long) FEW * attention.heads() * split.splits() * (attention.valueWidth() + 2);
      target = rooms.room("partial attention", floats * Float.BYTES);
    }
    Work partial =
        kernels.attention(
            "attention_partial.cl",
            "attention_partial",
            attention,
            split.defines(),
            q,
            positions,
            target,
            node,
            split.grid(attention.kvHeads()));
    if (split.splits() == 1) {
      return partial;
    }
    List<Argument> arguments = new ArrayList<>();
    arguments.add(new Argument.Buffer(target));
    arguments.add(new Argument.Buffer(places.apply(y)));
    arguments.addAll(kernels.weightArguments(attention, node));
    Work combine =
        maker.launch(
            "attention_partial.cl",
            "attention_combine",
            kernels.defines(attention, split.defines()),
            arguments,
            y,
            Grid.perRow(attention.heads() * attention.valueWidth()));
    return new Work.Sequence(List.of(partial, combine));
  }
}
