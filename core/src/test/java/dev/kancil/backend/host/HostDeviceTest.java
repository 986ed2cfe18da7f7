package dev.kancil.backend.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HostDeviceTest {
  private static final Weight TABLE = new Weight("table", DataType.F32, Shape.of(4, 1));
  private static final StepLimits LIMITS = new StepLimits(3, 2, 3);

  private final Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
  private final DeviceWeights weights =
      device.weights(
          _ ->
              new Tensor(
                  DataType.F32, TABLE.shape(), MemorySegment.ofArray(new float[] {0, 10, 20, 30})));
  private final Program program = device.compile(graph(), weights, LIMITS);
  private final SequenceState state = device.createState(new StateLayout(List.of()), 1, 100);

  private static Graph graph() {
    GraphBuilder builder = new GraphBuilder();
    Value ids = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    return builder.build(
        List.of(builder.add("y", new Embedding(), ids, TABLE)), new StateLayout(List.of()));
  }

  private static Batch batch(int sequence, int position, int... tokens) {
    Batch batch = new Batch(new StepLimits(8, 4, 8));
    batch.sequence(sequence, position);
    for (int token : tokens) {
      batch.token(token, true);
    }
    return batch;
  }

  @Test
  void twoStepsCanBeOpenAndKeepTheirOutputs() {
    int sequence = state.open();
    Step first = program.enqueue(batch(sequence, 0, 1, 2), state);
    Step second = program.enqueue(batch(sequence, 2, 3), state);
    assertThat(second.output("y").get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(30);
    assertThat(first.output("y").get(ValueLayout.JAVA_FLOAT, 4)).isEqualTo(20);
    first.close();
    first.close();
    assertThatThrownBy(() -> first.output("y")).isInstanceOf(IllegalStateException.class);
    try (Step third = program.enqueue(batch(sequence, 3, 1), state)) {
      assertThat(third.output("y").get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(10);
      assertThat(second.output("y").get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(30);
      assertThatThrownBy(() -> third.output("z")).isInstanceOf(IllegalArgumentException.class);
    }
    second.close();
  }

  @Test
  void aThirdStepFailsWhereTheCallerHoldsBoth() {
    int sequence = state.open();
    Step first = program.enqueue(batch(sequence, 0, 1), state);
    Step second = program.enqueue(batch(sequence, 1, 1), state);
    assertThatThrownBy(() -> program.enqueue(batch(sequence, 2, 1), state))
        .isInstanceOf(IllegalStateException.class);
    assertThat(state.length(sequence)).isEqualTo(2);
    first.close();
    second.close();
  }

  @Test
  void refusedBatchesChangeNothing() {
    int sequence = state.open();
    for (Batch wrong :
        List.of(
            batch(sequence, 0, 4),
            batch(sequence, 0, -1),
            batch(sequence, 1, 1),
            batch(sequence, 0, 1, 1, 1, 1),
            batch(sequence + 1, 0, 1),
            batch(sequence, 0))) {
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> program.enqueue(wrong, state))
            .isInstanceOf(InvalidRequestException.class);
      }
      assertThat(state.length(sequence)).isZero();
    }
    program.enqueue(batch(sequence, 0, 1), state).close();
    assertThat(state.length(sequence)).isEqualTo(1);
  }

  @Test
  void anythingMayBeClosedInAnyOrderAndTwice() {
    int sequence = state.open();
    Step open = program.enqueue(batch(sequence, 0, 1), state);
    device.close();
    state.close();
    program.close();
    open.close();
    weights.close();
    device.close();
    state.close();
    program.close();
    assertThatThrownBy(() -> program.enqueue(batch(sequence, 1, 1), state))
        .isInstanceOf(IllegalStateException.class);
  }
}
