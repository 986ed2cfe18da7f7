package dev.kancil.graph;

import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An immutable computation: nodes in an order in which they can run. Nodes that write or read
 * sequence state do so in that order, too.
 *
 * @param inputs values that each step brings
 * @param nodes in running order
 * @param outputs values that can be read after a step
 * @param state what is kept between steps
 */
public record Graph(List<Value> inputs, List<Node> nodes, List<Value> outputs, StateLayout state) {
  /** Input: the token ids of the batch, I32, one column. */
  public static final String TOKENS = "tokens";

  /** Input: each row's position in its sequence, I32, one column. */
  public static final String POSITIONS = "positions";

  /** Input: the rows for which outputs are asked, I32, one column. */
  public static final String OUTPUT_ROWS = "output_rows";

  /** Input that encoders bring: of which kind each row's token is, I32, one column. */
  public static final String TOKEN_TYPES = "token_types";

  /** Input that encoders bring: which position's embedding each row has, I32, one column. */
  public static final String POSITION_IDS = "position_ids";

  /** Input that encoders bring: rows that embeddings are made of, such as patches of images. */
  public static final String FEATURES = "features";

  /** Input that encoders bring: rows that stand for whole sequences. */
  public static final String POOLED = "pooled";

  /**
   * Input: how each output row's token is chosen, I32, {@link SampleParameters#COLUMNS} columns.
   */
  public static final String SAMPLING = "sampling";

  /** Input: changes of single logits, I32, {@link Sample#CHANGE_COLUMNS} columns. */
  public static final String CHANGES = "changes";

  /**
   * Input: each row's adapter, I32, one column; 0: none. See {@link RowAdapters}, as of {@link
   * #OUTPUT_ADAPTERS}.
   */
  public static final String ADAPTERS = "adapters";

  /** Input: the same of the rows for which outputs are asked. */
  public static final String OUTPUT_ADAPTERS = "output_adapters";

  /** Output of {@link #sampled}: the token that each output row chose, I32, one column. */
  public static final String SAMPLED = "sampled";

  /** The name of what layer {@code layer} computes, counted from 0. */
  public static String layerOutput(int layer) {
    return "hidden.layer." + layer;
  }

  public Graph {
    inputs = List.copyOf(inputs);
    nodes = List.copyOf(nodes);
    outputs = List.copyOf(outputs);
    Set<Value> known = new HashSet<>(inputs);
    for (Node node : nodes) {
      for (Operand operand : node.inputs()) {
        if (operand instanceof Value value && !known.contains(value)) {
          throw new IllegalArgumentException(value.name() + " is read before it is computed");
        }
      }
      if (!node.op()
          .infer(node.inputs())
          .equals(node.outputs().stream().map(Value::type).toList())) {
        throw new IllegalArgumentException(node.op() + " does not compute " + node.outputs());
      }
      requireState(node, state);
      known.addAll(node.outputs());
    }
    if (!known.containsAll(outputs)) {
      throw new IllegalArgumentException("an output is never computed: " + outputs);
    }
  }

  /**
   * Throws unless what a node keeps between steps has its place, of the right size, in the state.
   */
  private static void requireState(Node node, StateLayout state) {
    switch (node.op()) {
      case CacheWrite(var slot) -> {
        StateGroup group = group(slot, state);
        requireColumns(node.value(0), group.keyColumns());
        requireColumns(node.value(1), group.valueColumns());
      }
      case Attention attention -> requireState(attention, state);
      case RopeAttention fused -> requireState(fused.attention(), state);
      default -> {}
    }
  }

  private static void requireState(Attention attention, StateLayout state) {
    StateGroup group = group(attention.slot(), state);
    if (attention.kvHeads() * attention.keyWidth() != group.keyColumns()
        || attention.kvHeads() * attention.valueWidth() != group.valueColumns()) {
      throw new IllegalArgumentException(attention + " does not fit " + group);
    }
  }

  private static StateGroup group(StateSlot slot, StateLayout state) {
    if (slot.group() < 0
        || slot.group() >= state.groups().size()
        || slot.layer() < 0
        || slot.layer() >= state.groups().get(slot.group()).layers()) {
      throw new IllegalArgumentException("the state has no " + slot);
    }
    return state.groups().get(slot.group());
  }

  private static void requireColumns(Value value, int columns) {
    if (value.type().columns() != columns) {
      throw new IllegalArgumentException(
          value.name() + " has " + value.type().columns() + " columns, its cache " + columns);
    }
  }

  /**
   * The inputs that no batch has: values of other devices, such as hidden states, or ids of other
   * things than tokens.
   *
   * @throws IllegalArgumentException if one is not of float32 or I32 with a row for each token
   */
  public List<Value> broughtInputs() {
    List<Value> brought = new ArrayList<>();
    for (Value input : inputs) {
      switch (input.name()) {
        case TOKENS, POSITIONS, OUTPUT_ROWS, SAMPLING, CHANGES, ADAPTERS, OUTPUT_ADAPTERS -> {}
        default -> brought.add(input);
      }
    }
    for (Value input : brought) {
      DataType type = input.type().type();
      boolean isKnown = type == DataType.F32 || type == DataType.I32;
      if (!isKnown || input.type().rows() != Dimension.Symbolic.TOKENS) {
        throw new IllegalArgumentException("nothing brings the input " + input.name());
      }
    }
    return brought;
  }

  /** How many layers there are: a value is called {@link #layerOutput} for each. */
  public int layers() {
    Set<String> names = new HashSet<>();
    nodes.forEach(node -> node.outputs().forEach(output -> names.add(output.name())));
    int layers = 0;
    while (names.contains(layerOutput(layers))) {
      layers++;
    }
    return layers;
  }

  /** The input or computed value called {@code name}, or an error naming it. */
  public Value value(String name) {
    for (Value input : inputs) {
      if (input.name().equals(name)) {
        return input;
      }
    }
    for (Node node : nodes) {
      for (Value output : node.outputs()) {
        if (output.name().equals(name)) {
          return output;
        }
      }
    }
    throw new IllegalArgumentException("the graph has no value " + name);
  }

  /** All weights that the nodes read, each once, in the order of first use. */
  public List<Weight> weights() {
    Map<String, Weight> weights = new LinkedHashMap<>();
    for (Node node : nodes) {
      for (Operand operand : node.inputs()) {
        if (operand instanceof Weight weight) {
          weights.put(weight.name(), weight);
        }
      }
    }
    return List.copyOf(weights.values());
  }

  /**
   * Bytes of weights that one token's row reads, each once: of a table of embeddings one row, of
   * experts those that the row uses, of all else the whole. Of a graph of primitives.
   */
  public long weightBytesPerToken() {
    Map<String, Long> bytes = new HashMap<>();
    for (Node node : nodes) {
      for (Operand operand : node.inputs()) {
        if (operand instanceof Weight weight) {
          bytes.merge(weight.name(), bytesPerToken(node, weight), Math::max);
        }
      }
    }
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  private static long bytesPerToken(Node node, Weight weight) {
    long whole = weight.type().byteSize(weight.shape().columns()) * weight.shape().rows();
    return switch (node.op()) {
      case Embedding _ -> weight.type().byteSize(weight.shape().columns());
      case MoeMatMul _ ->
          whole
              / weight.shape().dimension(0)
              * Math.min(node.value(2).type().columns(), weight.shape().dimension(0));
      default -> whole;
    };
  }

  /**
   * Multiplications of weights that each token's row takes, with an addition each; without those of
   * rows for which outputs are asked alone. Of a graph of primitives.
   */
  public long multiplicationsPerToken() {
    long sum = 0;
    for (Node node : nodes) {
      boolean isProduct = node.op() instanceof MatMul || node.op() instanceof MoeMatMul;
      if (isProduct && node.output().type().rows() == Dimension.Symbolic.TOKENS) {
        long inner = node.weight(1).shape().columns();
        sum += inner * node.output().type().columns();
      }
    }
    return sum;
  }

  /** For each value the nodes that read it, in running order; absent where there are none. */
  public Map<Value, List<Node>> consumers() {
    Map<Value, List<Node>> consumers = new HashMap<>();
    for (Node node : nodes) {
      for (Operand operand : node.inputs()) {
        if (operand instanceof Value value) {
          consumers.computeIfAbsent(value, _ -> new ArrayList<>()).add(node);
        }
      }
    }
    return consumers;
  }

  /** Token ids that every embedding of tokens has a row for: 0 to this, exclusive. */
  public int vocabulary() {
    long vocabulary = Integer.MAX_VALUE;
    for (Node node : nodes) {
      if (node.op() instanceof Embedding && node.value(0).name().equals(TOKENS)) {
        vocabulary = Math.min(vocabulary, node.weight(1).shape().dimension(0));
      }
    }
    return (int) vocabulary;
  }

  /** Columns of the logits from which tokens are sampled; 0 if none are. */
  public int sampledColumns() {
    for (Node node : nodes) {
      if (node.op() instanceof Sample) {
        return node.value(0).type().columns();
      }
    }
    return 0;
  }

  /** Whether it computes from some tokens those that follow them. */
  public boolean choosesTokens() {
    return inputs.stream().anyMatch(input -> input.name().equals(TOKENS))
        && outputs.stream().anyMatch(output -> output.name().equals(SAMPLED));
  }

  /**
   * The same computation up to a token for each row of {@code logits}, of which nothing is read but
   * the output {@link #SAMPLED}.
   *
   * @param logits name of a value with a row for each output
   */
  public Graph sampled(String logits) {
    GraphBuilder added = new GraphBuilder(nextId());
    Value parameters =
        added.input(
            SAMPLING,
            new ValueType(DataType.I32, Dimension.Symbolic.OUTPUTS, SampleParameters.COLUMNS));
    Value changes =
        added.input(
            CHANGES,
            new ValueType(DataType.I32, Dimension.Symbolic.CHANGES, Sample.CHANGE_COLUMNS));
    Value token = added.add(SAMPLED, new Sample(), value(logits), parameters, changes);
    List<Value> allInputs = new ArrayList<>(inputs);
    allInputs.addAll(List.of(parameters, changes));
    List<Node> allNodes = new ArrayList<>(nodes);
    allNodes.addAll(added.nodes());
    return new Graph(allInputs, allNodes, List.of(token), state);
  }

  /** Larger than the ids of all values. */
  int nextId() {
    int next = 0;
    for (Value input : inputs) {
      next = Math.max(next, input.id() + 1);
    }
    for (Node node : nodes) {
      for (Value output : node.outputs()) {
        next = Math.max(next, output.id() + 1);
      }
    }
    return next;
  }

  /** The same computation with room for more in the state. */
  public Graph withState(StateLayout layout) {
    return new Graph(inputs, nodes, outputs, layout);
  }

  public Graph withNodes(List<Node> newNodes) {
    return new Graph(inputs, newNodes, outputs, state);
  }

  /** As much of the computation as one of its values and the state take, and that value alone. */
  public Graph upTo(Value value) {
    Set<Value> needed = new HashSet<>(Set.of(value));
    List<Node> kept = new ArrayList<>();
    for (Node node : nodes.reversed()) {
      if (node.outputs().isEmpty() || !Collections.disjoint(node.outputs(), needed)) {
        kept.add(node);
        node.inputs().stream()
            .filter(Value.class::isInstance)
            .map(Value.class::cast)
            .forEach(needed::add);
      }
    }
    List<Value> read = inputs.stream().filter(needed::contains).toList();
    return new Graph(read, kept.reversed(), List.of(value), state);
  }

  /** The same computation with more values kept for reading. */
  public Graph withOutputs(List<Value> more) {
    List<Value> all = new ArrayList<>(outputs);
    for (Value value : more) {
      if (!all.contains(value)) {
        all.add(value);
      }
    }
    return new Graph(inputs, nodes, all, state);
  }
}
