package dev.kancil.backend.accelerator;

import dev.kancil.UnsupportedException;
import dev.kancil.graph.Dimension;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.Bias;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Concatenate;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeBias;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectColumns;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.graph.op.SoftCap;
import java.util.function.Function;

/**
 * Every op with kernels of rows and of the cache, which all accelerators share, and products and
 * attention, which may be an accelerator's own.
 */
public final class KernelLowering implements Lowering {
  private final LaunchMaker maker;
  private final RowKernels rows;
  private final CacheKernels cache;
  private final ProductKernels products;
  private final CacheKernels.Attend attention;
  private final Function<Value, DeviceBuffer> places;

  /**
   * Lowers a program's nodes.
   *
   * @param maker closed with this
   */
  public KernelLowering(
      LaunchMaker maker,
      RowKernels rows,
      CacheKernels cache,
      ProductKernels products,
      CacheKernels.Attend attention,
      ProgramMemory program) {
    this.maker = maker;
    this.rows = rows;
    this.cache = cache;
    this.products = products;
    this.attention = attention;
    places = program.places();
  }

  /** With plain kernels alone, readable rather than fast. */
  public static KernelLowering plain(
      LaunchMaker maker,
      AcceleratorWeights weights,
      ProgramMemory program,
      KernelShapes shapes,
      PlainProducts.Activations activations) {
    CacheKernels cache = new CacheKernels(maker, weights, program, shapes);
    return new KernelLowering(
        maker,
        new RowKernels(maker, weights, program, shapes),
        cache,
        new PlainProducts(maker, weights, program, shapes, activations),
        cache::plainAttention,
        program);
  }

  @Override
  public Work lower(Node node) {
    for (Value output : node.outputs()) {
      if (output.type().rows() instanceof Dimension.Fixed) {
        throw new UnsupportedException(
            node.op().name() + " of a fixed number of rows on an accelerator");
      }
    }
    return switch (node.op()) {
      case Add _ -> rows.add(node);
      case Bias _ -> rows.bias(node);
      case Scale op -> rows.scale(op, node);
      case Clamp op -> rows.clamp(op, node);
      case SoftCap op -> rows.softCap(op, node);
      case Activate op -> rows.activate(op, node);
      case Glu op -> rows.glu(op, node);
      case ClampedGlu op -> rows.clampedGlu(op, node);
      case Concatenate op -> rows.concatenate(op, node);
      case SlotIds _ -> rows.slotIds(node);
      case SelectColumns _ -> rows.selectColumns(node);
      case SelectRows _ -> rows.selectRows(node);
      case HostCall op -> rows.hostCall(op, node);
      case LayerNorm op -> rows.layerNorm(op, node);
      case RmsNorm op -> rows.rmsNorm(op, node);
      case AddRmsNorm op -> rows.addRmsNorm(op, node);
      case Embedding _ -> products.embedding(node);
      case MatMul _ -> products.matMul(node.value(0), node.weight(1), node.output());
      case ParallelMatMul _ -> products.parallelMatMul(node);
      case GluMatMul(var activation) -> products.gluMatMul(node, activation);
      case NormedProduct op -> products.normedProduct(op, node);
      case MoeRoute op -> rows.route(op, node);
      case MoeMatMul _ -> products.expertMatMul(node);
      case MoeGluMatMul(var activation) -> products.expertGluMatMul(node, activation);
      case MoeBias _ -> rows.expertBias(node);
      case MoeSum _ -> rows.sum(node);
      case Sample _ -> rows.sample(node);
      case Rope(var rotary) -> cache.rope(rotary, node);
      case CacheWrite(var slot) -> cache.cacheWrite(slot, node);
      case Attention op -> attention.of(op, places.apply(node.value(0)), node.value(1), node);
      case RopeAttention(var rotary, var op) -> cache.ropeAttention(rotary, op, node, attention);
    };
  }

  @Override
  public Work feed(Value tokens, Value chosen) {
    return rows.feed(tokens, chosen);
  }

  @Override
  public void finish() {
    maker.prepare();
  }

  @Override
  public void close() {
    maker.close();
  }
}
