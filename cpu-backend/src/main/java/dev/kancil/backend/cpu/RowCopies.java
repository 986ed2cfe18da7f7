package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.HostCall;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Embedding, SelectRows, SlotIds and HostCall, which move rows and compute next to nothing. */
final class RowCopies {
  private RowCopies() {}

  static Kernel embedding(
      Node node, Lowering.Operands operands, Scratch scratch, RowKernels kernels) {
    HostValue ids = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    Tensor table = operands.weight(node.weight(1));
    DataType type = table.type();
    int columns = y.columns();
    long rowBytes = type.byteSize(columns);
    scratch.reserve(Scratch.Kind.ROW, columns);
    return step -> {
      float[] row = scratch.of(Scratch.Kind.ROW, 0);
      MemorySegment target = y.data(step);
      for (int i = 0; i < y.rows(step); i++) {
        long id = ids.data(step).getAtIndex(ValueLayout.JAVA_INT, i);
        kernels.decode(type, table.data(), id * rowBytes, row, columns);
        MemorySegment.copy(
            row, 0, target, ValueLayout.JAVA_FLOAT, i * y.type().rowBytes(), columns);
      }
    };
  }

  static Kernel selectRows(Node node, Lowering.Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue rows = operands.value(node.value(1));
    HostValue y = operands.value(node.output());
    long rowBytes = y.type().rowBytes();
    return step -> {
      MemorySegment source = x.data(step);
      MemorySegment target = y.data(step);
      for (int i = 0; i < y.rows(step); i++) {
        long row = rows.data(step).getAtIndex(ValueLayout.JAVA_INT, i);
        MemorySegment.copy(source, row * rowBytes, target, i * rowBytes, rowBytes);
      }
    };
  }

  static Kernel slotIds(Node node, Lowering.Operands operands) {
    HostValue ids = operands.value(node.output());
    int slots = ids.columns();
    return step -> {
      MemorySegment target = ids.data(step);
      for (int i = 0; i < ids.rows(step) * slots; i++) {
        target.setAtIndex(ValueLayout.JAVA_INT, i, i % slots);
      }
    };
  }

  static Kernel hostCall(HostCall call, Node node, Lowering.Operands operands) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    return step -> {
      long bytes = x.rows(step) * x.type().rowBytes();
      MemorySegment data = y.data(step).asSlice(0, bytes);
      data.copyFrom(x.data(step).asSlice(0, bytes));
      call.function().apply(data, x.rows(step), x.columns());
    };
  }
}
