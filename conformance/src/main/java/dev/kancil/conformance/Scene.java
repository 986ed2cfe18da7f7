package dev.kancil.conformance;

import dev.kancil.backend.Batch;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Op;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A small graph around the operation under test. Its operands are rows of float32 tables that the
 * batch's tokens choose, so that a device needs nothing but {@link Embedding} to take part.
 */
final class Scene {
  // A prime, so that rows repeat in another order in each page and tile.
  private static final int MOST_TOKENS = 61;

  /** The most changes of an output row's logits. */
  static final int MOST_CHANGES = 200;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SplittableRandom random;
  private final boolean decomposed;
  private final GraphBuilder builder = new GraphBuilder();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final List<Value> outputs = new ArrayList<>();
  private final List<StateGroup> groups = new ArrayList<>();
  private final List<Fused> fused = new ArrayList<>();
  private final int vocabulary;
  private final Value tokens;
  private final Value positions;
  private final Value outputRows;
  private @Nullable Choice choice;

  /** Makes a row of data. */
  @FunctionalInterface
  interface Rows {
    float[] make(SplittableRandom random, int row);
  }

  /** Says how an output row's token is chosen, with no more than {@link #MOST_CHANGES} changes. */
  @FunctionalInterface
  interface Choice {
    /**
     * @param random the same for the same row, whatever the device
     * @param output number of the row among all outputs of all steps
     */
    void describe(Batch batch, SplittableRandom random, int output);
  }

  Scene(long seed, List<Event> events, boolean decomposed) {
    this.random = new SplittableRandom(seed);
    this.decomposed = decomposed;
    int rows = 0;
    for (Event event : events) {
      rows += event instanceof Event.Rows step ? step.total() : 0;
    }
    this.vocabulary = Math.min(MOST_TOKENS, rows);
    tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
    outputRows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
  }

  /** How many token ids there are. */
  int vocabulary() {
    return vocabulary;
  }

  Value tokens() {
    return tokens;
  }

  Value positions() {
    return positions;
  }

  Value outputRows() {
    return outputRows;
  }

  /** What stands in a table. */
  @FunctionalInterface
  interface Elements {
    float of(int token, int column);
  }

  /** Normally distributed rows, one for each token of the batch. */
  Value x(int columns) {
    return x(columns, 1);
  }

  /** The same with this standard deviation. */
  Value x(int columns, float deviation) {
    return x(columns, (_, _) -> (float) random.nextGaussian(0, deviation));
  }

  /** Rows of what {@code elements} says for each token and column. */
  Value x(int columns, Elements elements) {
    String name = "x" + tensors.size();
    float[] data = new float[Math.multiplyExact(vocabulary, columns)];
    for (int i = 0; i < data.length; i++) {
      data[i] = elements.of(i / columns, i % columns);
    }
    Weight table = bind(name + ".table", RandomTensors.floats(data, Shape.of(vocabulary, columns)));
    return builder.add(name, new Embedding(), tokens, table);
  }

  /** Rows of any data, one for each output of the batch. */
  Value outputs(int columns, Rows rows) {
    String name = "x" + tensors.size();
    float[] data = new float[Math.multiplyExact(vocabulary, columns)];
    for (int i = 0; i < vocabulary; i++) {
      System.arraycopy(rows.make(random, i), 0, data, i * columns, columns);
    }
    Weight table = bind(name + ".table", RandomTensors.floats(data, Shape.of(vocabulary, columns)));
    Value all = builder.add(name + ".all", new Embedding(), tokens, table);
    return builder.add(name, new SelectRows(), all, outputRows);
  }

  /** The token that each output row chooses, which is compared. */
  void sample(Value logits, Choice rowChoice) {
    choice = rowChoice;
    Value parameters =
        builder.input(
            Graph.SAMPLING,
            new ValueType(DataType.I32, Symbolic.OUTPUTS, SampleParameters.COLUMNS));
    Value changes =
        builder.input(
            Graph.CHANGES, new ValueType(DataType.I32, Symbolic.CHANGES, Sample.CHANGE_COLUMNS));
    check(new Sample(), logits, parameters, changes);
  }

  /** Describes the choice for the output row that the batch has got last. */
  void describe(Batch batch, int output) {
    if (choice != null) {
      choice.describe(batch, new SplittableRandom(output), output);
    }
  }

  /** The most changes of an output row's logits. */
  int mostChanges() {
    return choice == null ? 0 : MOST_CHANGES;
  }

  /** A weight of random blocks. */
  Weight weight(DataType type, long... shape) {
    return bind("w" + tensors.size(), RandomTensors.random(random, type, Shape.of(shape)));
  }

  /** A weight of float32 numbers between {@code from} and {@code to}. */
  Weight between(float from, float to, int columns) {
    return vector(columns, _ -> random.nextDouble(from, to));
  }

  /** A weight of what {@code elements} says for each column. */
  Weight vector(int columns, IntToDoubleFunction elements) {
    float[] data = new float[columns];
    for (int i = 0; i < columns; i++) {
      data[i] = (float) elements.applyAsDouble(i);
    }
    return bind("w" + tensors.size(), RandomTensors.floats(data, Shape.of(columns)));
  }

  /** A weight of these whole numbers. */
  Weight wholes(int... numbers) {
    MemorySegment data = MemorySegment.ofArray(new byte[4 * numbers.length]);
    for (int i = 0; i < numbers.length; i++) {
      data.set(INT, 4L * i, numbers[i]);
    }
    return bind("w" + tensors.size(), new Tensor(DataType.I32, Shape.of(numbers.length), data));
  }

  /** The numbers below {@code count} in any order. */
  int[] shuffled(int count) {
    int[] numbers = new int[count];
    for (int i = 1; i < count; i++) {
      int other = random.nextInt(i + 1);
      numbers[i] = numbers[other];
      numbers[other] = i;
    }
    return numbers;
  }

  private Weight bind(String name, Tensor tensor) {
    tensors.put(name, tensor);
    return new Weight(name, tensor.type(), tensor.shape());
  }

  /** Room for one layer's keys and values. */
  StateSlot slot(
      int keyColumns, int valueColumns, DataType keyType, DataType valueType, int window) {
    groups.add(new StateGroup(1, keyColumns, valueColumns, keyType, valueType, window));
    return new StateSlot(groups.size() - 1, 0);
  }

  /** Room for several layers of the same kind; layer {@code layer} of them. */
  StateSlot slot(StateGroup group, int layer) {
    if (!groups.contains(group)) {
      groups.add(group);
    }
    return new StateSlot(groups.indexOf(group), layer);
  }

  /** Applies an operation; its results are not compared. */
  List<Value> apply(Op op, Operand... operands) {
    List<Operand> inputs = List.of(operands);
    List<String> names = new ArrayList<>();
    for (int i = 0; i < op.infer(inputs).size(); i++) {
      names.add("y" + builder.nodes().size() + "." + i);
    }
    if (op instanceof Fused whole) {
      fused.add(whole);
      if (decomposed) {
        return whole.decompose(builder, inputs, names);
      }
    }
    return builder.add(names, op, inputs);
  }

  /** Applies an operation whose results are compared. */
  List<Value> check(Op op, Operand... operands) {
    List<Value> results = apply(op, operands);
    outputs.addAll(results);
    return results;
  }

  /** Fused operations that the recipe applied. */
  List<Fused> fused() {
    return fused;
  }

  Map<String, Tensor> tensors() {
    return tensors;
  }

  Graph graph() {
    return builder.build(outputs, new StateLayout(groups));
  }
}
