package dev.kancil.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where each computed value lies in one arena, so that a step allocates nothing: values whose
 * lifetimes don't meet share bytes. Outputs of the graph keep their bytes until the step's end.
 *
 * @param offsets of each value, in bytes, multiples of {@link #ALIGNMENT}
 * @param bytes the arena's size
 */
public record MemoryPlan(Map<Value, Long> offsets, long bytes) {
  /** A cache line, and the widest vector. */
  public static final int ALIGNMENT = 64;

  private record Block(Value value, long offset, long bytes, int from, int to) {}

  /**
   * Plans a graph for steps of at most {@code tokens} rows and {@code outputs} output rows. Greedy
   * by running order, each value at the lowest gap that is free for its whole life.
   */
  public static MemoryPlan of(Graph graph, int tokens, int outputs) {
    return of(graph, tokens, outputs, ALIGNMENT);
  }

  /** The same, with each value at a multiple of {@code alignment} bytes, a power of two. */
  public static MemoryPlan of(Graph graph, int tokens, int outputs, int alignment) {
    Map<Value, Integer> lastUse = new HashMap<>();
    Set<Value> kept = new HashSet<>(graph.outputs());
    for (int i = 0; i < graph.nodes().size(); i++) {
      for (Operand operand : graph.nodes().get(i).inputs()) {
        if (operand instanceof Value value) {
          lastUse.put(value, i);
        }
      }
    }
    List<Block> placed = new ArrayList<>();
    for (int i = 0; i < graph.nodes().size(); i++) {
      for (Value value : graph.nodes().get(i).outputs()) {
        int to = kept.contains(value) ? Integer.MAX_VALUE : lastUse.getOrDefault(value, i);
        placed.add(place(value, bytes(value.type(), tokens, outputs, alignment), i, to, placed));
      }
    }
    Map<Value, Long> offsets = new HashMap<>();
    long total = 0;
    for (Block block : placed) {
      offsets.put(block.value(), block.offset());
      total = Math.max(total, block.offset() + block.bytes());
    }
    return new MemoryPlan(Map.copyOf(offsets), total);
  }

  /** Rows of a computed value in a step of this size. */
  public static int rows(Dimension dimension, int tokens, int outputs) {
    return switch (dimension) {
      case Dimension.Fixed(int size) -> size;
      case Dimension.Symbolic.TOKENS -> tokens;
      case Dimension.Symbolic.OUTPUTS -> outputs;
      case Dimension.Symbolic.CHANGES ->
          throw new IllegalArgumentException("only an input has a row for each change");
    };
  }

  private static long bytes(ValueType type, int tokens, int outputs, int alignment) {
    long bytes = Math.multiplyExact(type.rowBytes(), rows(type.rows(), tokens, outputs));
    return Math.addExact(bytes, alignment - 1) & -alignment;
  }

  private static Block place(Value value, long bytes, int from, int to, List<Block> placed) {
    List<Block> alive =
        placed.stream()
            .filter(block -> block.from() <= to && from <= block.to())
            .sorted((a, b) -> Long.compare(a.offset(), b.offset()))
            .toList();
    long offset = 0;
    for (Block block : alive) {
      if (offset + bytes <= block.offset()) {
        break;
      }
      offset = Math.max(offset, block.offset() + block.bytes());
    }
    return new Block(value, offset, bytes, from, to);
  }
}
