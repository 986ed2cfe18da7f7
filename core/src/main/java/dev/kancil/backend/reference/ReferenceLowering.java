package dev.kancil.backend.reference;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.Bias;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Concatenate;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeBias;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.graph.op.Primitive;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectColumns;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/** A kernel for each primitive, as its Javadoc states the formula. */
final class ReferenceLowering implements Lowering {
  @Override
  public Kernel lower(Node node, Operands operands) {
    return switch (node.op()) {
      case Fused fused ->
          throw new UnsupportedException(
              fused.name() + " is not decomposed for the reference device");
      case Primitive primitive -> lower(primitive, node, operands);
    };
  }

  private static Kernel lower(Primitive primitive, Node node, Operands operands) {
    return switch (primitive) {
      case Add _ -> elementWise(node, operands, Float::sum);
      case Activate(var activation) ->
          elementWise(node, operands, (x, _) -> (float) activation.apply(x));
      case Bias _ -> bias(node, operands);
      case Glu(var activation) ->
          elementWise(node, operands, (gate, up) -> (float) (activation.apply(gate) * up));
      case ClampedGlu glu -> elementWise(node, operands, (gate, up) -> (float) glu.apply(gate, up));
      case Concatenate(int groups) -> ReferenceColumns.concatenate(groups, node, operands);
      case SelectColumns _ -> ReferenceColumns.select(node, operands);
      case SlotIds _ -> ReferenceColumns.slotIds(node, operands);
      case Scale(float factor) -> elementWise(node, operands, (x, _) -> factor * x);
      case Clamp(float limit) ->
          elementWise(node, operands, (x, _) -> Math.min(Math.max(x, -limit), limit));
      case SoftCap(float cap) ->
          elementWise(node, operands, (x, _) -> (float) (cap * Math.tanh(x / cap)));
      case Embedding _ -> embedding(node, operands);
      case SelectRows _ -> selectRows(node, operands);
      case MatMul _ -> matMul(node, operands);
      case MoeRoute route -> ReferenceMoe.route(route, node, operands);
      case MoeMatMul _ -> ReferenceMoe.matMul(node, operands);
      case MoeBias _ -> ReferenceMoe.bias(node, operands);
      case MoeSum _ -> ReferenceMoe.sum(node, operands);
      case LayerNorm norm -> layerNorm(norm, node, operands);
      case RmsNorm(float epsilon, int group) -> rmsNorm(node, operands, epsilon, group);
      case Rope(var rotary) -> new ReferenceRope(rotary, node, operands);
      case CacheWrite(var slot) -> new ReferenceCacheWrite(slot, node, operands);
      case Sample _ -> new ReferenceSample(node, operands);
      case Attention attention -> new ReferenceAttention(attention, node, operands);
      case HostCall(var function) -> {
        HostValue x = operands.value(node.value(0));
        HostValue y = operands.value(node.output());
        yield step -> {
          long bytes = x.rows(step) * x.type().rowBytes();
          MemorySegment data = y.data(step).asSlice(0, bytes);
          data.copyFrom(x.data(step).asSlice(0, bytes));
          function.apply(data, x.rows(step), x.columns());
        };
      }
    };
  }

  @FunctionalInterface
  private interface ElementFunction {
    float apply(float first, float second);
  }

  private static Kernel elementWise(Node node, Operands operands, ElementFunction function) {
    HostValue a = operands.value(node.value(0));
    HostValue b = operands.value(node.value(node.inputs().size() - 1));
    HostValue y = operands.value(node.output());
    return step -> {
      long elements = (long) y.rows(step) * y.columns();
      MemorySegment first = a.data(step);
      MemorySegment second = b.data(step);
      MemorySegment result = y.data(step);
      for (long i = 0; i < elements; i++) {
        Rows.set(result, i, function.apply(Rows.get(first, i), Rows.get(second, i)));
      }
    };
  }

  private static Kernel bias(Node node, Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    float[] bias = Blocks.decode(operands.weight(node.weight(1)));
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] data = Rows.read(x, step, row);
        for (int i = 0; i < data.length; i++) {
          data[i] += bias[i];
        }
        Rows.write(y, step, row, data);
      }
    };
  }

  private static Kernel embedding(Node node, Operands operands) {
    HostValue ids = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    Tensor table = operands.weight(node.weight(1));
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        long id = Rows.index(ids.data(step), row);
        Rows.write(y, step, row, Rows.decode(table, id));
      }
    };
  }

  private static Kernel selectRows(Node node, Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue rows = operands.value(node.value(1));
    HostValue y = operands.value(node.output());
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        Rows.write(y, step, row, Rows.read(x, step, Rows.index(rows.data(step), row)));
      }
    };
  }

  private static Kernel matMul(Node node, Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    Tensor weight = operands.weight(node.weight(1));
    return step -> {
      float[][] inputs = new float[x.rows(step)][];
      for (int row = 0; row < inputs.length; row++) {
        inputs[row] = Rows.read(x, step, row);
      }
      // Each output column is computed by one thread alone, so the order of summation is fixed.
      IntStream.range(0, y.columns())
          .parallel()
          .forEach(
              column -> {
                float[] weights = Rows.decode(weight, column);
                for (int row = 0; row < inputs.length; row++) {
                  double sum = 0;
                  for (int i = 0; i < weights.length; i++) {
                    sum += (double) weights[i] * inputs[row][i];
                  }
                  Rows.set(y.data(step), (long) row * y.columns() + column, (float) sum);
                }
              });
    };
  }

  private static Kernel rmsNorm(Node node, Operands operands, float epsilon, int group) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    float[] scale = Blocks.decode(operands.weight(node.weight(1)));
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] data = Rows.read(x, step, row);
        for (int start = 0; start < data.length; start += group) {
          double squares = 0;
          for (int i = 0; i < group; i++) {
            squares += (double) data[start + i] * data[start + i];
          }
          double factor = 1 / Math.sqrt(squares / group + epsilon);
          for (int i = 0; i < group; i++) {
            data[start + i] = (float) (data[start + i] * factor * scale[i]);
          }
        }
        Rows.write(y, step, row, data);
      }
    };
  }

  private static Kernel layerNorm(LayerNorm norm, Node node, Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    int inputs = node.inputs().size();
    float[] scale = inputs > 1 ? Blocks.decode(operands.weight(node.weight(1))) : null;
    float[] bias = inputs > 2 ? Blocks.decode(operands.weight(node.weight(2))) : null;
    int group = norm.group();
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] data = Rows.read(x, step, row);
        for (int start = 0; start < data.length; start += group) {
          double mean = 0;
          for (int i = 0; i < group; i++) {
            mean += (double) data[start + i] / group;
          }
          double variance = 0;
          for (int i = 0; i < group; i++) {
            double difference = data[start + i] - mean;
            variance += difference * difference / group;
          }
          double factor = 1 / Math.sqrt(variance + norm.epsilon());
          for (int i = 0; i < group; i++) {
            double normed = (data[start + i] - mean) * factor * (scale == null ? 1 : scale[i]);
            data[start + i] = (float) (normed + (bias == null ? 0 : bias[i]));
          }
        }
        Rows.write(y, step, row, data);
      }
    };
  }
}
