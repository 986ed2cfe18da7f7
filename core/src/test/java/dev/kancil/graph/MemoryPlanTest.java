package dev.kancil.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {
  private static final int TOKENS = 7;
  private static final int OUTPUTS = 3;

  private static Graph random(SplittableRandom random) {
    GraphBuilder builder = new GraphBuilder();
    Value outputRows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
    List<Value> values = new ArrayList<>();
    values.add(builder.input("x", ValueType.f32(Symbolic.TOKENS, 5)));
    int nodes = random.nextInt(1, 40);
    for (int i = 0; i < nodes; i++) {
      Value a = values.get(random.nextInt(values.size()));
      Value b = values.get(random.nextInt(values.size()));
      String name = "y" + i;
      values.add(
          switch (random.nextInt(4)) {
            case 0 -> builder.add(name, new Scale(2), a);
            case 1 ->
                a.type().equals(b.type())
                    ? builder.add(name, new Add(), a, b)
                    : builder.add(name, new Add(), a, a);
            case 2 -> {
              int columns = random.nextInt(1, 200);
              Weight weight =
                  new Weight("w" + i, DataType.F32, Shape.of(columns, a.type().columns()));
              yield builder.add(name, new MatMul(), a, weight);
            }
            default ->
                a.type().rows() == Symbolic.TOKENS
                    ? builder.add(name, new SelectRows(), a, outputRows)
                    : builder.add(name, new Scale(3), a);
          });
    }
    List<Value> outputs = new ArrayList<>();
    for (Value value : values.subList(1, values.size())) {
      if (random.nextInt(8) == 0) {
        outputs.add(value);
      }
    }
    return builder.build(outputs, new StateLayout(List.of()));
  }

  /** Memory in which each byte remembers the value that was written there last. */
  private static final class Memory {
    private final MemoryPlan plan;
    private final int[] owner;

    Memory(MemoryPlan plan) {
      this.plan = plan;
      this.owner = new int[Math.toIntExact(plan.bytes())];
    }

    private static int bytes(Value value) {
      int rows = MemoryPlan.rows(value.type().rows(), TOKENS, OUTPUTS);
      return Math.toIntExact(rows * value.type().rowBytes());
    }

    private int offset(Value value) {
      return Math.toIntExact(plan.offsets().getOrDefault(value, -1L));
    }

    void write(Value value) {
      int offset = offset(value);
      Arrays.fill(owner, offset, offset + bytes(value), value.id());
    }

    void requireWhole(Value value, String when) {
      int offset = offset(value);
      int end = offset + bytes(value);
      for (int i = offset; i < end; i++) {
        if (owner[i] != value.id()) {
          throw new AssertionError(value.name() + " was overwritten " + when);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void noValueIsOverwrittenWhileItIsNeeded(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 200; i++) {
      Graph graph = random(random);
      MemoryPlan plan = MemoryPlan.of(graph, TOKENS, OUTPUTS);
      Memory memory = new Memory(plan);
      for (Node node : graph.nodes()) {
        // A kernel may write all outputs before it reads the last of its inputs.
        node.outputs().forEach(memory::write);
        for (Operand operand : node.inputs()) {
          if (operand instanceof Value value && !graph.inputs().contains(value)) {
            memory.requireWhole(value, "before it was read");
          }
        }
      }
      graph.outputs().forEach(output -> memory.requireWhole(output, "before the end"));
    }
  }

  @Test
  void offsetsAreAlignedAndOnlyComputedValuesHaveOne() {
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < 100; i++) {
      Graph graph = random(random);
      MemoryPlan plan = MemoryPlan.of(graph, TOKENS, OUTPUTS);
      assertThat(plan.offsets().values()).allMatch(at -> at % MemoryPlan.ALIGNMENT == 0);
      assertThat(plan.offsets().keySet()).doesNotContainAnyElementsOf(graph.inputs());
      Map<Value, Long> ends = new HashMap<>();
      plan.offsets().forEach((value, at) -> ends.put(value, at + Memory.bytes(value)));
      assertThat(ends.values()).allMatch(end -> end <= plan.bytes());
    }
  }

  @Test
  void aChainNeedsTwoPlacesHoweverLongItIs() {
    GraphBuilder builder = new GraphBuilder();
    Value x = builder.input("x", ValueType.f32(Symbolic.TOKENS, 16));
    for (int i = 0; i < 50; i++) {
      x = builder.add("y" + i, new Scale(2), x);
    }
    Graph graph = builder.build(List.of(x), new StateLayout(List.of()));
    assertThat(MemoryPlan.of(graph, 4, 1).bytes()).isEqualTo(2 * 4 * 64);
  }
}
