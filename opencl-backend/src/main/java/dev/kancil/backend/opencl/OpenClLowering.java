package dev.kancil.backend.opencl;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.CacheKernels;
import dev.kancil.backend.accelerator.KernelShapes;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.Lowering;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.RowKernels;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import java.util.Map;
import java.util.stream.IntStream;

/** Kernels for each node of one program, with their arguments bound. */
final class OpenClLowering implements Lowering {
  private final LaunchMaker maker;
  private final RowKernels rows;
  private final CacheKernels cache;
  private final Products products;
  private final MoeLowering experts;
  private final AttentionLowering attention;

  OpenClLowering(
      LaunchMaker maker,
      ClDevice device,
      AcceleratorWeights weights,
      ProductTuner tuner,
      ProgramMemory program) {
    this.maker = maker;
    KernelShapes shapes = shapes(device);
    rows = new RowKernels(maker, weights, program, shapes);
    cache = new CacheKernels(maker, weights, program, shapes);
    RoundedActivations rounded =
        new RoundedActivations(maker, program.rooms(), program.limits(), program.places());
    products = new Products(maker, weights, program, device, tuner, rounded);
    experts = new MoeLowering(maker, weights, program, device, tuner, rounded);
    attention = new AttentionLowering(maker, cache, program, device);
  }

  /** One item goes through a whole row on a processor, whose vectors are an item's own. */
  private static KernelShapes shapes(ClDevice device) {
    return device.isProcessor()
        ? new KernelShapes(1, 1, 1, 8, Map.of("HALF_BY_SCALING", ""))
        : new KernelShapes(
            Math.min(128, device.largestGroup()),
            64,
            Math.min(256, Integer.highestOneBit(device.largestGroup())),
            4,
            Map.of());
  }

  @Override
  public Work lower(Node node) {
    for (Value output : node.outputs()) {
      if (output.type().rows() instanceof Dimension.Fixed) {
        throw new UnsupportedException(node.op().name() + " of a fixed number of rows on OpenCL");
      }
    }
    return switch (node.op()) {
      case Add _ -> rows.add(node);
      case Scale op -> rows.scale(op, node);
      case SoftCap op -> rows.softCap(op, node);
      case Glu op -> rows.glu(op, node);
      case SelectRows _ -> rows.selectRows(node);
      case HostCall op -> rows.hostCall(op, node);
      case RmsNorm op -> rows.rmsNorm(op, node);
      case AddRmsNorm op -> rows.addRmsNorm(op, node);
      case Embedding _ -> products.embedding(node);
      case MatMul _ -> products.matMul(node.value(0), node.weight(1), node.output());
      case ParallelMatMul(int count) ->
          new Work.Sequence(
              IntStream.range(0, count)
                  .mapToObj(
                      i ->
                          products.matMul(node.value(0), node.weight(1 + i), node.outputs().get(i)))
                  .toList());
      case GluMatMul(var activation) -> products.gluMatMul(node, activation);
      case MoeRoute op -> rows.route(op, node);
      case MoeMatMul _ -> experts.matMul(node);
      case MoeGluMatMul(var activation) -> experts.gluMatMul(node, activation);
      case MoeSum _ -> rows.sum(node);
      case Sample _ -> rows.sample(node);
      case Rope(var rotary) -> cache.rope(rotary, node);
      case CacheWrite(var slot) -> cache.cacheWrite(slot, node);
      case Attention op -> attention.attention(op, node);
      case RopeAttention(var rotary, var op) ->
          cache.ropeAttention(rotary, op, node, attention::attend);
    };
  }

  @Override
  public void close() {
    maker.close();
  }
}
