package dev.kancil.backend.reference;

import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.ValueLayout;

/** Where columns go, and numbers of columns. */
final class ReferenceColumns {
  private ReferenceColumns() {}

  static Kernel concatenate(int groups, Node node, Lowering.Operands operands) {
    HostValue a = operands.value(node.value(0));
    HostValue b = operands.value(node.value(1));
    HostValue y = operands.value(node.output());
    int first = a.columns() / groups;
    int second = b.columns() / groups;
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] left = Rows.read(a, step, row);
        float[] right = Rows.read(b, step, row);
        float[] both = new float[y.columns()];
        for (int group = 0; group < groups; group++) {
          int at = group * (first + second);
          System.arraycopy(left, group * first, both, at, first);
          System.arraycopy(right, group * second, both, at + first, second);
        }
        Rows.write(y, step, row, both);
      }
    };
  }

  static Kernel select(Node node, Lowering.Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    float[] columns = Blocks.decode(operands.weight(node.weight(1)));
    return step -> {
      for (int row = 0; row < y.rows(step); row++) {
        float[] from = Rows.read(x, step, row);
        float[] selected = new float[y.columns()];
        for (int i = 0; i < selected.length; i++) {
          selected[i] = from[Math.clamp((int) columns[i], 0, from.length - 1)];
        }
        Rows.write(y, step, row, selected);
      }
    };
  }

  static Kernel slotIds(Node node, Lowering.Operands operands) {
    HostValue ids = operands.value(node.output());
    return step -> {
      for (int i = 0; i < ids.rows(step) * ids.columns(); i++) {
        ids.data(step).setAtIndex(ValueLayout.JAVA_INT, i, i % ids.columns());
      }
    };
  }
}
