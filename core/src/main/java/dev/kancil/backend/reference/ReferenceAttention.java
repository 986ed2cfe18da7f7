package dev.kancil.backend.reference;

import dev.kancil.backend.Batch;
import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

final class ReferenceAttention implements Kernel {
  private final Attention op;
  private final HostValue q;
  private final HostValue y;
  private final float @Nullable [] sinks;
  private final float[] biases;

  ReferenceAttention(Attention op, Node node, Lowering.Operands operands) {
    this.op = op;
    q = operands.value(node.value(0));
    y = operands.value(node.output());
    sinks = op.sinks(node).map(weight -> Blocks.decode(operands.weight(weight))).orElse(null);
    biases =
        op.biases(node)
            .map(weight -> Blocks.decode(operands.weight(weight)))
            .orElseGet(() -> new float[0]);
  }

  @Override
  public void run(HostStep step) {
    Batch batch = step.batch();
    StateGroup group = step.state().group(op.slot());
    for (int i = 0; i < batch.sequenceCount(); i++) {
      int length = step.length(op.slot(), i);
      float[][] keys = new float[length][];
      float[][] values = new float[length][];
      long first = op.mask().firstKey(batch.position(batch.firstRow(i)), length - 1);
      for (int position = (int) first; position < length; position++) {
        long row = step.cacheRow(op.slot(), i, position);
        keys[position] =
            read(step.state().keys(op.slot()), group.keyType(), row, group.keyColumns());
        values[position] =
            read(step.state().values(op.slot()), group.valueType(), row, group.valueColumns());
      }
      for (int row = batch.firstRow(i); row < batch.endRow(i); row++) {
        float[] queries = Rows.read(q, step, row);
        float[] result = new float[op.heads() * op.valueWidth()];
        for (int head = 0; head < op.heads(); head++) {
          attend(head, batch.position(row), (int) first, queries, keys, values, result);
        }
        Rows.write(y, step, row, result);
      }
    }
  }

  private void attend(
      int head,
      int query,
      int first,
      float[] queries,
      float[][] keys,
      float[][] values,
      float[] result) {
    int kvHead = head * op.kvHeads() / op.heads();
    double[] weights = new double[keys.length];
    double max = Double.NEGATIVE_INFINITY;
    for (int key = first; key < keys.length; key++) {
      weights[key] = Double.NEGATIVE_INFINITY;
      if (op.mask().sees(query, key)) {
        double dot = 0;
        for (int i = 0; i < op.keyWidth(); i++) {
          dot += (double) queries[head * op.keyWidth() + i] * keys[key][kvHead * op.keyWidth() + i];
        }
        weights[key] =
            op.score().evaluate((float) (dot * op.scale()), query, key, head, biases, op.heads());
        max = Math.max(max, weights[key]);
      }
    }
    if (max == Double.NEGATIVE_INFINITY) {
      return;
    }
    double total = 0;
    if (sinks != null) {
      max = Math.max(max, sinks[head]);
      total = Math.exp(sinks[head] - max);
    }
    for (int key = first; key < keys.length; key++) {
      weights[key] = Math.exp(weights[key] - max);
      total += weights[key];
    }
    for (int i = 0; i < op.valueWidth(); i++) {
      double sum = 0;
      for (int key = first; key < keys.length; key++) {
        if (weights[key] != 0) {
          sum += weights[key] * values[key][kvHead * op.valueWidth() + i];
        }
      }
      result[head * op.valueWidth() + i] = (float) (sum / total);
    }
  }

  private static float[] read(MemorySegment cache, DataType type, long row, int columns) {
    float[] target = new float[columns];
    Blocks.decode(type, cache, row * type.byteSize(columns), target, 0, columns);
    return target;
  }
}
