package dev.kancil.backend.reference;

import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/** Mixtures of experts, row by row and slot by slot. */
final class ReferenceMoe {
  private ReferenceMoe() {}

  static Kernel route(MoeRoute route, Node node, Lowering.Operands operands) {
    HostValue logits = operands.value(node.value(0));
    HostValue ids = operands.value(node.outputs().get(0));
    HostValue weights = operands.value(node.outputs().get(1));
    float[] bias =
        node.inputs().size() == 2 ? Blocks.decode(operands.weight(node.weight(1))) : null;
    return step -> {
      for (int row = 0; row < ids.rows(step); row++) {
        int[] chosen = new int[route.used()];
        float[] weight = new float[route.used()];
        route.route(Rows.read(logits, step, row), bias, chosen, weight);
        for (int slot = 0; slot < chosen.length; slot++) {
          long index = (long) row * chosen.length + slot;
          ids.data(step).setAtIndex(ValueLayout.JAVA_INT, index, chosen[slot]);
        }
        Rows.write(weights, step, row, weight);
      }
    };
  }

  static Kernel matMul(Node node, Lowering.Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue ids = operands.value(node.value(2));
    HostValue y = operands.value(node.output());
    Tensor weight = operands.weight(node.weight(1));
    int used = ids.columns();
    int lastExpert = Math.toIntExact(weight.shape().dimension(0)) - 1;
    int out = y.columns() / used;
    // From the input of one slot of a row to that of the next.
    int stride = MoeMatMul.isApart(node.value(0), node.weight(1)) ? x.columns() / used : 0;
    return step -> {
      // Each product of a slot is computed by one thread alone, so the order of summation is fixed.
      IntStream.range(0, y.rows(step) * used)
          .parallel()
          .forEach(
              slot -> {
                long expert = Math.clamp(Rows.index(ids.data(step), slot), 0, lastExpert);
                float[] inputs = Rows.read(x, step, slot / used);
                int from = slot % used * stride;
                for (int column = 0; column < out; column++) {
                  float[] weights = Rows.decode(weight, expert * out + column);
                  double sum = 0;
                  for (int i = 0; i < weights.length; i++) {
                    sum += (double) weights[i] * inputs[from + i];
                  }
                  Rows.set(y.data(step), (long) slot * out + column, (float) sum);
                }
              });
    };
  }

  static Kernel bias(Node node, Lowering.Operands operands) {
    HostValue x = operands.value(node.value(0));
    float[] bias = Blocks.decode(operands.weight(node.weight(1)));
    HostValue ids = operands.value(node.value(2));
    HostValue y = operands.value(node.output());
    int columns = y.columns() / ids.columns();
    int lastExpert = bias.length / columns - 1;
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] data = Rows.read(x, step, row);
        for (int i = 0; i < data.length; i++) {
          long slot = (long) row * ids.columns() + i / columns;
          int expert = Math.toIntExact(Math.clamp(Rows.index(ids.data(step), slot), 0, lastExpert));
          data[i] += bias[expert * columns + i % columns];
        }
        Rows.write(y, step, row, data);
      }
    };
  }

  static Kernel sum(Node node, Lowering.Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue weights = operands.value(node.value(1));
    HostValue y = operands.value(node.output());
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] slots = Rows.read(x, step, row);
        float[] weight = Rows.read(weights, step, row);
        float[] result = new float[y.columns()];
        for (int column = 0; column < result.length; column++) {
          double sum = 0;
          for (int slot = 0; slot < weight.length; slot++) {
            sum += (double) weight[slot] * slots[slot * result.length + column];
          }
          result[column] = (float) sum;
        }
        Rows.write(y, step, row, result);
      }
    };
  }
}
