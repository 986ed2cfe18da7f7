package dev.kancil.backend.cpu;

import static java.util.stream.Collectors.joining;

import dev.kancil.MissingModuleException;
import dev.kancil.UnsupportedException;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Activation;
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
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectColumns;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A kernel for each node of one program. Nodes are lowered in running order, so what several of
 * them share (rotary angles, room for turned queries) is made for the first.
 */
final class CpuLowering implements Lowering {
  private final WorkerPool pool;
  private final Scratch scratch;
  private final RowKernels rows;
  private final ExpertSlots expertSlots = new ExpertSlots();
  private final @Nullable Native natives;
  private @Nullable Vectors vectors;
  private final Map<AngleKey, RopeAngles> angles = new HashMap<>();
  private final Map<Room, MemorySegment> rooms = new HashMap<>();

  /** Native kernels, and what those of a program share. */
  private record Native(
      NativeLibrary library, NativeRows rows, RoundedRows rounded, SlotRows slotRows) {
    /** Whether there are kernels for all weights of a node. */
    boolean takes(Node node) {
      return node.inputs().stream()
          .allMatch(input -> !(input instanceof Weight weight) || library.takes(weight.type()));
    }
  }

  /** What the Vector API's products of a program share. */
  private record Vectors(StepRows rows, ExpertRows expertRows) {}

  /** What the angles of a row depend on. */
  private record AngleKey(RotaryEmbedding rotary, Value positions, List<Operand> factors) {}

  /** Memory of a program that its attention layers use one after the other. */
  private record Room(String use, long bytes) {}

  CpuLowering(@Nullable NativeLibrary library, WorkerPool pool, Scratch scratch) {
    this.pool = pool;
    this.scratch = scratch;
    if (library == null) {
      natives = null;
      rows = new VectorRows(scratch);
    } else {
      NativeRows kernels = new NativeRows(library);
      natives =
          new Native(
              library, kernels, new RoundedRows(library), new SlotRows(library, expertSlots));
      rows = kernels;
    }
  }

  /**
   * For what native kernels don't do.
   *
   * @throws MissingModuleException if this JVM was started without the module
   */
  private Vectors vectors(String what) {
    if (vectors == null) {
      VectorModule.require(what);
      vectors = new Vectors(new StepRows(), new ExpertRows(expertSlots));
    }
    return vectors;
  }

  @Override
  public Kernel lower(Node node, Operands operands) {
    return switch (node.op()) {
      case Activate _, Add _, Clamp _, ClampedGlu _, Glu _, Scale _, SoftCap _ ->
          new ElementWise(node.op(), node, operands, pool, rows);
      case Bias _ -> new BiasKernel(node, operands, pool, rows);
      case Embedding _ -> RowCopies.embedding(node, operands, scratch, rows);
      case Concatenate(int groups) -> new ConcatenateKernel(groups, node, operands, pool);
      case SlotIds _ -> RowCopies.slotIds(node, operands);
      case SelectColumns _ -> new SelectColumnsKernel(node, operands, pool);
      case SelectRows _ -> RowCopies.selectRows(node, operands);
      case Sample _ -> new SampleKernel(node, operands, pool, rows);
      case HostCall call -> RowCopies.hostCall(call, node, operands);
      case LayerNorm norm -> new LayerNormKernel(norm, node, operands, pool, rows);
      case RmsNorm(float epsilon, int _) -> RmsNormKernel.norm(epsilon, node, operands, pool, rows);
      case AddRmsNorm(float epsilon) ->
          RmsNormKernel.addAndNorm(epsilon, node, operands, pool, rows);
      case MatMul _, ParallelMatMul _ -> matMul(node, operands);
      case GluMatMul(var activation) -> gluMatMul(activation, node, operands);
      case NormedProduct product ->
          throw new UnsupportedException(product.name() + " is not decomposed for this device");
      case MoeRoute route -> new MoeRouteKernel(route, node, operands, pool, scratch, rows);
      case MoeMatMul _, MoeGluMatMul _ -> moeMatMul(node, operands);
      case MoeBias _ -> new MoeBiasKernel(node, operands, pool, rows);
      case MoeSum _ -> new MoeSumKernel(node, operands, pool, rows);
      case Rope(var rotary) ->
          new RopeKernel(
              rotation(
                  rotary, node.value(1), node.inputs().subList(2, node.inputs().size()), operands),
              operands.value(node.value(0)),
              operands.value(node.output()),
              pool);
      case CacheWrite(var slot) -> {
        HostValue k = operands.value(node.value(0));
        HostValue v = operands.value(node.value(1));
        yield new CacheWriteKernel(writer(slot, k, v, operands), k, v, pool);
      }
      case Attention attention -> attention(attention, null, node, operands);
      case RopeAttention(var rotary, var attention) ->
          attention(attention, ropeWrite(rotary, attention, node, operands), node, operands);
    };
  }

  private Kernel matMul(Node node, Operands operands) {
    if (natives != null && natives.takes(node)) {
      return new TiledMatMulKernel(node, operands, natives.library(), pool, natives.rounded());
    }
    Vectors shared = vectors(weightTypes(node));
    return new MatMulKernel(node, operands, pool, scratch, shared.rows());
  }

  private Kernel gluMatMul(Activation activation, Node node, Operands operands) {
    if (natives != null && natives.takes(node)) {
      return new TiledGluMatMulKernel(
          activation,
          node,
          operands,
          natives.library(),
          pool,
          scratch,
          natives.rows(),
          natives.rounded());
    }
    Vectors shared = vectors(weightTypes(node));
    return new GluMatMulKernel(activation, node, operands, pool, scratch, shared.rows());
  }

  private Kernel moeMatMul(Node node, Operands operands) {
    if (natives != null
        && natives.takes(node)
        && TiledMoeMatMulKernel.takes(node, natives.library())) {
      return new TiledMoeMatMulKernel(
          node,
          operands,
          natives.library(),
          pool,
          scratch,
          natives.rows(),
          expertSlots,
          natives.slotRows());
    }
    Vectors shared = vectors(weightTypes(node));
    return new MoeMatMulKernel(node, operands, pool, scratch, expertSlots, shared.expertRows());
  }

  private static String weightTypes(Node node) {
    return node.inputs().stream()
        .filter(Weight.class::isInstance)
        .map(input -> ((Weight) input).type().toString())
        .distinct()
        .collect(joining(" and ", "products with ", ""));
  }

  private Kernel attention(
      Attention attention,
      AttentionKernel.@Nullable Prologue prologue,
      Node node,
      Operands operands) {
    NativeLibrary library = null;
    if (natives != null && NativeAttentionTile.takes(attention, operands.cache(attention.slot()))) {
      library = natives.library();
    } else {
      VectorModule.require("attention with heads of " + attention.keyWidth() + " columns");
    }
    return new AttentionKernel(attention, prologue, node, operands, pool, scratch, library, rows);
  }

  private RopeWrite ropeWrite(
      RotaryEmbedding rotary, Attention attention, Node node, Operands operands) {
    HostValue q = operands.value(node.value(0));
    HostValue k = operands.value(node.value(1));
    HostValue v = operands.value(node.value(2));
    int rows = operands.limits().tokens();
    return new RopeWrite(
        rotation(
            rotary,
            node.value(3),
            new RopeAttention(rotary, attention).factors(node.inputs()),
            operands),
        writer(attention.slot(), k, v, operands),
        q,
        k,
        v,
        room(new Room("queries", rows * q.type().rowBytes())),
        room(new Room("keys", rows * k.type().rowBytes())),
        pool);
  }

  private CacheWriter writer(StateSlot slot, HostValue k, HostValue v, Operands operands) {
    int columns = Math.max(k.columns(), v.columns());
    return new CacheWriter(slot, columns, operands.limits().tokens(), scratch, rows);
  }

  private MemorySegment room(Room room) {
    return rooms.computeIfAbsent(room, wanted -> Arena.ofAuto().allocate(wanted.bytes(), 64));
  }

  private Rotation rotation(
      RotaryEmbedding rotary, Value positions, List<Operand> factors, Operands operands) {
    AngleKey key = new AngleKey(rotary, positions, List.copyOf(factors));
    HostValue positionRows = operands.value(positions);
    boolean isFirst = !angles.containsKey(key);
    RopeAngles shared =
        angles.computeIfAbsent(
            key,
            _ -> {
              float[] divisors =
                  factors.isEmpty() ? new float[0] : decode((Weight) factors.getFirst(), operands);
              return new RopeAngles(rotary, divisors, operands.limits().tokens());
            });
    return new Rotation(rotary, shared, isFirst, positionRows, pool, rows);
  }

  private static float[] decode(Weight weight, Operands operands) {
    Tensor tensor = operands.weight(weight);
    if (tensor.shape().elements() < 1) {
      throw new UnsupportedException(weight.name() + " is empty");
    }
    return Blocks.decode(tensor);
  }
}
