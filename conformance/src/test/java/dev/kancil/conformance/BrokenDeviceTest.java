package dev.kancil.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.host.HostDevice;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.conformance.Result.Status;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Embedding;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A device that embeds and adds, and is broken in one way at a time. */
class BrokenDeviceTest {
  private static final List<Case> ADDITIONS =
      Conformance.cases().stream().filter(tested -> tested.op().equals("Add")).toList();

  enum Fault {
    NONE,
    WRONG_ELEMENT,
    MISSING_ELEMENT,
    WRITES_BEHIND,
    WRITES_BEFORE,
    CHANGES_INPUT,
    READS_BEHIND_WEIGHT,
    THROWS,
    FUSES_WRONGLY
  }

  private record Broken(Fault fault) implements Lowering {
    @Override
    public Kernel lower(Node node, Operands operands) {
      return switch (node.op()) {
        case Embedding _ ->
            embed(
                operands.value(node.value(0)),
                operands.weight(node.weight(1)),
                operands.value(node.output()));
        case Add _ ->
            add(
                operands.value(node.value(0)),
                operands.value(node.value(1)),
                operands.value(node.output()));
        default -> throw new UnsupportedException("no " + node.op().name() + " here");
      };
    }

    private Kernel embed(HostValue ids, Tensor table, HostValue y) {
      if (table.type() != DataType.F32) {
        throw new UnsupportedException("no Embedding of " + table.type() + " here");
      }
      int columns = y.columns();
      int shift = fault == Fault.READS_BEHIND_WEIGHT ? 1 : 0;
      MemorySegment data = unbounded(table.data());
      return step -> {
        float[] row = new float[columns];
        for (int i = 0; i < y.rows(step); i++) {
          long id = ids.data(step).getAtIndex(ValueLayout.JAVA_INT, i);
          Blocks.decode(DataType.F32, data, (id * columns + shift) * 4, row, 0, columns);
          MemorySegment.copy(
              row, 0, y.data(step), ValueLayout.JAVA_FLOAT, i * 4L * columns, columns);
        }
      };
    }

    private Kernel add(HostValue a, HostValue b, HostValue y) {
      return step -> {
        long elements = (long) y.rows(step) * y.columns();
        MemorySegment result = unbounded(y.data(step));
        long computed = fault == Fault.MISSING_ELEMENT ? elements - 1 : elements;
        for (long i = 0; i < computed; i++) {
          float sum =
              a.data(step).getAtIndex(ValueLayout.JAVA_FLOAT, i)
                  + b.data(step).getAtIndex(ValueLayout.JAVA_FLOAT, i);
          result.setAtIndex(ValueLayout.JAVA_FLOAT, i, sum);
        }
        switch (fault) {
          case WRONG_ELEMENT -> {
            float last = result.getAtIndex(ValueLayout.JAVA_FLOAT, elements - 1);
            result.setAtIndex(ValueLayout.JAVA_FLOAT, elements - 1, last + 1);
          }
          case WRITES_BEHIND -> result.setAtIndex(ValueLayout.JAVA_FLOAT, elements, 0);
          case WRITES_BEFORE ->
              unbounded(MemorySegment.ofAddress(result.address() - 4))
                  .setAtIndex(ValueLayout.JAVA_FLOAT, 0, 0);
          case CHANGES_INPUT -> b.data(step).setAtIndex(ValueLayout.JAVA_FLOAT, 0, 7);
          case THROWS -> throw new IllegalStateException("broken");
          default -> {}
        }
      };
    }

    /** As a native kernel sees memory. */
    @SuppressWarnings("restricted")
    private static MemorySegment unbounded(MemorySegment data) {
      return MemorySegment.ofAddress(data.address()).reinterpret(data.byteSize() + 4096);
    }
  }

  private static Report run(Fault fault, List<Case> cases) {
    DeviceDescription description = new DeviceDescription("broken", "", "", 0, null);
    try (Device device =
            new HostDevice(
                description,
                DeviceOptions.DEFAULT.withGuards(),
                () -> new Broken(fault),
                _ -> fault == Fault.FUSES_WRONGLY,
                _ -> ActivationRounding.NONE,
                () -> {});
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      return Conformance.run(device, reference, cases, _ -> {});
    }
  }

  @Test
  void whatWorksPassesAndTheRestIsRefused() {
    Report report = run(Fault.NONE, Conformance.cases());
    assertThat(report.failures()).isEmpty();
    assertThat(report.with(Status.PASSED))
        .extracting(result -> result.tested().op())
        .contains("Add", "Embedding");
    assertThat(report.refusals())
        .allSatisfy(result -> assertThat(result.message()).contains("no "));
    String document = OpsDocument.update("", report);
    assertThat(document).contains("| Add | ✓ |  |").contains("| MatMul | – | – |");
    assertThat(OpsDocument.update(document, report)).isEqualTo(document);
  }

  @ParameterizedTest
  @CsvSource({
    "WRONG_ELEMENT,the result is wrong",
    "MISSING_ELEMENT,the result is wrong",
    "WRITES_BEHIND,Add wrote behind the memory of y2.0",
    "WRITES_BEFORE,Add wrote before the memory of y2.0",
    "CHANGES_INPUT,Add changed its input 1",
    "READS_BEHIND_WEIGHT,the result is wrong",
    "THROWS,broken"
  })
  void aBrokenDeviceFailsEveryCase(Fault fault, String message) {
    Report report = run(fault, ADDITIONS);
    assertThat(report.failures())
        .hasSameSizeAs(ADDITIONS)
        .allSatisfy(result -> assertThat(result.message()).contains(message));
  }

  @Test
  void aDeviceThatTakesAFusedOperationMustRunIt() {
    List<Case> fused =
        Conformance.cases().stream().filter(tested -> tested.op().equals("AddRmsNorm")).toList();
    // Its parts can't run, either, so that refusing is honest.
    assertThat(run(Fault.FUSES_WRONGLY, fused).refusals()).hasSameSizeAs(fused);
  }
}
