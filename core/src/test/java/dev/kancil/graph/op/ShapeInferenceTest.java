package dev.kancil.graph.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShapeInferenceTest {
  private static final Value X = value("x", DataType.F32, Symbolic.TOKENS, 8);
  private static final Value SELECTED = value("selected", DataType.F32, Symbolic.OUTPUTS, 8);
  private static final Value WIDE = value("wide", DataType.F32, Symbolic.TOKENS, 12);
  private static final Value IDS = value("ids", DataType.I32, Symbolic.TOKENS, 1);
  private static final Value PAIRS = value("pairs", DataType.I32, Symbolic.TOKENS, 2);
  private static final Value ROWS = value("rows", DataType.I32, Symbolic.OUTPUTS, 1);
  private static final StateSlot SLOT = new StateSlot(0, 0);
  private static final RotaryEmbedding ROTARY =
      new RotaryEmbedding(Pairing.HALVES, 4, 4, 10_000, 1);

  private static Value value(String name, DataType type, Symbolic rows, int columns) {
    return new Value(name.hashCode(), name, new ValueType(type, rows, columns));
  }

  private static Weight weight(long... shape) {
    return new Weight("w", DataType.F32, Shape.of(shape));
  }

  private static Attention attention(int heads, int kvHeads, int keyWidth, int valueWidth) {
    return new Attention(SLOT, heads, kvHeads, keyWidth, valueWidth, 1, Mask.CAUSAL, Score.PLAIN);
  }

  private static void gives(Op op, List<Operand> inputs, ValueType... types) {
    assertThat(op.infer(inputs)).containsExactly(types);
  }

  private static void refuses(Op op, String message, Operand... inputs) {
    assertThatThrownBy(() -> op.infer(List.of(inputs)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(op.name() + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void elementWiseOperationsKeepTheSize() {
    for (Op op :
        List.of(new Add(), new Glu(Activation.SILU), new ClampedGlu(Activation.QUICK_GELU, 7))) {
      gives(op, List.of(X, X), X.type());
      refuses(op, "sizes differ", X, WIDE);
      refuses(op, "sizes differ", X, SELECTED);
      refuses(op, "w is a weight, not a value", X, weight(8));
      refuses(op, "ids is I32", IDS, IDS);
    }
    for (Op op :
        List.of(
            new Scale(2),
            new Clamp(3),
            new SoftCap(3),
            new Activate(Activation.GELU),
            new HostCall((data, rows, columns) -> {}))) {
      gives(op, List.of(X), X.type());
      refuses(op, "ids is I32", IDS);
    }
  }

  @Test
  void theNumberOfInputsIsChecked() {
    assertThatThrownBy(() -> new Add().infer(List.of(X))).hasMessage("Add takes 2 inputs, not 1");
    assertThatThrownBy(() -> new Rope(ROTARY).infer(List.of(X)))
        .hasMessage("Rope takes 2 inputs, not 1");
    assertThatThrownBy(() -> new ParallelMatMul(2).infer(List.of(X, weight(3, 8))))
        .hasMessage("ParallelMatMul takes 3 inputs, not 2");
    assertThatThrownBy(() -> new ParallelMatMul(1)).hasMessage("1 products");
  }

  @Test
  void productsMapColumnsToRows() {
    gives(new MatMul(), List.of(X, weight(5, 8)), X.type().withColumns(5));
    refuses(new MatMul(), "w of shape [8, 5] does not take 8 columns", X, weight(8, 5));
    refuses(new MatMul(), "w of shape [8] does not take 8 columns", X, weight(8));
    refuses(new MatMul(), "x is a value, not a weight", X, X);
    refuses(new MatMul(), "ids is I32", IDS, weight(5, 1));
    gives(
        new ParallelMatMul(2),
        List.of(X, weight(5, 8), weight(3, 8)),
        X.type().withColumns(5),
        X.type().withColumns(3));
    GluMatMul glu = new GluMatMul(Activation.SILU);
    gives(glu, List.of(X, weight(5, 8), weight(5, 8)), X.type().withColumns(5));
    refuses(glu, "gate and up differ", X, weight(5, 8), weight(6, 8));
  }

  @Test
  void normsInProductsTakeTheInputsOfBoth() {
    NormedProduct norm = new NormedProduct(1e-5f, false, new MatMul());
    gives(norm, List.of(X, weight(8), weight(5, 8)), X.type().withColumns(5));
    NormedProduct sum = new NormedProduct(1e-5f, true, new ParallelMatMul(2));
    gives(
        sum,
        List.of(X, X, weight(8), weight(5, 8), weight(3, 8)),
        X.type(),
        X.type().withColumns(5),
        X.type().withColumns(3));
    refuses(norm, "takes more than 2 inputs", X, weight(8));
    refuses(norm, "w has shape [7], not [8]", X, weight(7), weight(5, 8));
    assertThatThrownBy(() -> norm.infer(List.of(X, weight(8), weight(8, 5))))
        .hasMessage("MatMul: w of shape [8, 5] does not take 8 columns");
    refuses(sum, "sizes differ", X, WIDE, weight(8), weight(5, 8), weight(3, 8));
    assertThatThrownBy(() -> new NormedProduct(1e-5f, false, new Add()))
        .hasMessage("Add is no product of rows");
  }

  @Test
  void expertsAreChosenAmongTheLogitsAndMultiplyTheirSlots() {
    ValueType pairs = X.type().withColumns(2);
    MoeRoute route = new MoeRoute(2, MoeRoute.Scoring.SIGMOID, true, 1);
    gives(route, List.of(X), PAIRS.type(), pairs);
    gives(route, List.of(X, weight(8)), PAIRS.type(), pairs);
    refuses(route, "w has shape [7], not [8]", X, weight(7));
    refuses(new MoeRoute(9, MoeRoute.Scoring.SOFTMAX, true, 1), "9 of 8 experts", X);
    assertThatThrownBy(() -> new MoeRoute(0, MoeRoute.Scoring.SOFTMAX, true, 1))
        .hasMessage("0 experts of a row");
    Weight experts = weight(3, 5, 8);
    Value slots = value("slots", DataType.F32, Symbolic.TOKENS, 16);
    gives(new MoeMatMul(), List.of(X, experts, PAIRS), X.type().withColumns(10));
    gives(new MoeMatMul(), List.of(slots, experts, PAIRS), X.type().withColumns(10));
    refuses(new MoeMatMul(), "does not take 12 columns for 2 slots", WIDE, experts, PAIRS);
    refuses(new MoeMatMul(), "w of shape [5, 8] does not take", X, weight(5, 8), PAIRS);
    refuses(new MoeMatMul(), "w of shape [0, 5, 8] does not take", X, weight(0, 5, 8), PAIRS);
    refuses(new MoeMatMul(), "ids are ", X, experts, X);
    refuses(new MoeMatMul(), "ids are ", X, experts, ROWS);
    MoeGluMatMul glu = new MoeGluMatMul(Activation.SILU);
    gives(glu, List.of(X, experts, experts, PAIRS), X.type().withColumns(10));
    refuses(glu, "gate and up differ", X, experts, weight(3, 6, 8), PAIRS);
    refuses(glu, "gate and up differ", X, experts, weight(4, 5, 8), PAIRS);
    Value weights = value("weights", DataType.F32, Symbolic.TOKENS, 2);
    gives(new MoeSum(), List.of(slots, weights), X.type());
    refuses(new MoeSum(), "weights of other rows", slots, SELECTED);
    refuses(new MoeSum(), "8 weights for 12 columns", WIDE, X);
  }

  @Test
  void normsNeedAWeightForEachColumnOfAGroup() {
    gives(new RmsNorm(1e-5f, 8), List.of(X, weight(8)), X.type());
    gives(new RmsNorm(1e-5f, 4), List.of(X, weight(4)), X.type());
    refuses(new RmsNorm(1e-5f, 3), "3 does not divide 8", X, weight(3));
    refuses(new RmsNorm(1e-5f, 0), "0 does not divide 8", X, weight(1));
    refuses(new RmsNorm(1e-5f, 8), "w has shape [4], not [8]", X, weight(4));
    gives(new AddRmsNorm(1e-5f), List.of(X, X, weight(8)), X.type(), X.type());
    refuses(new AddRmsNorm(1e-5f), "sizes differ", X, WIDE, weight(8));
  }

  @Test
  void columnsAreConcatenatedGroupByGroup() {
    gives(
        new Concatenate(4), List.of(X, WIDE), value("y", DataType.F32, Symbolic.TOKENS, 20).type());
    refuses(new Concatenate(1), "different rows", X, SELECTED);
    refuses(new Concatenate(8), "8 groups of 8 and 12 columns", X, WIDE);
    assertThatThrownBy(() -> new Concatenate(0)).hasMessage("0 groups of columns");
  }

  @Test
  void columnsAreSelectedByWholeNumbers() {
    Weight columns = new Weight("order", DataType.I32, Shape.of(12));
    gives(new SelectColumns(), List.of(X, columns), WIDE.type());
    refuses(new SelectColumns(), "w is F32 [8]", X, weight(8));
    refuses(new SelectColumns(), "ids is a value, not a weight", X, IDS);
  }

  @Test
  void everyRowHasEverySlot() {
    gives(new SlotIds(2), List.of(X), PAIRS.type());
    gives(new SlotIds(2), List.of(IDS), PAIRS.type());
    refuses(new SlotIds(2), "w is a weight, not a value", weight(8));
    assertThatThrownBy(() -> new SlotIds(0)).hasMessage("0 slots");
  }

  @Test
  void expertsHaveABiasForEachColumnOfASlot() {
    gives(new MoeBias(), List.of(X, weight(5, 4), PAIRS), X.type());
    refuses(new MoeBias(), "w of shape [5, 8] does not fit 8 columns of 2", X, weight(5, 8), PAIRS);
    refuses(new MoeBias(), "w of shape [8] does not fit", X, weight(8), PAIRS);
    refuses(new MoeBias(), "ids are ValueType[type=F32", X, weight(5, 4), X);
    refuses(new MoeBias(), "ids are ValueType[type=I32", SELECTED, weight(5, 4), PAIRS);
  }

  @Test
  void aBiasHasANumberForEachColumn() {
    gives(new Bias(), List.of(X, weight(8)), X.type());
    refuses(new Bias(), "w has shape [4], not [8]", X, weight(4));
    refuses(new Bias(), "x is a value, not a weight", X, X);
  }

  @Test
  void layerNormsMayHaveAWeightAndABias() {
    LayerNorm norm = new LayerNorm(1e-5f, 4);
    gives(norm, List.of(X), X.type());
    gives(norm, List.of(X, weight(4)), X.type());
    gives(norm, List.of(X, weight(4), weight(4)), X.type());
    refuses(norm, "takes 1 to 3 inputs, not 4", X, weight(4), weight(4), weight(4));
    refuses(norm, "w has shape [8], not [4]", X, weight(4), weight(8));
    refuses(new LayerNorm(1e-5f, 3), "3 does not divide 8", X);
  }

  @Test
  void lookupsNeedIndexes() {
    gives(new Embedding(), List.of(IDS, weight(96, 8)), X.type());
    refuses(new Embedding(), "ids are ", X, weight(96, 8));
    refuses(new Embedding(), "ids are ", PAIRS, weight(96, 8));
    refuses(new Embedding(), "w has shape [96]", IDS, weight(96));
    gives(new SelectRows(), List.of(X, ROWS), SELECTED.type());
    refuses(new SelectRows(), "rows are ", X, X);
  }

  @Test
  void rotationsNeedWholeHeadsAndAPositionForEachRow() {
    Rope rope = new Rope(ROTARY);
    gives(rope, List.of(X, IDS), X.type());
    gives(rope, List.of(X, IDS, weight(2)), X.type());
    refuses(rope, "no whole number of heads", value("odd", DataType.F32, Symbolic.TOKENS, 6), IDS);
    refuses(rope, "positions of other rows", X, ROWS);
    refuses(rope, "positions are F32", X, X);
    refuses(rope, "positions are I32 of 2 columns", X, PAIRS);
    refuses(rope, "w has shape [4], not [2]", X, IDS, weight(4));
    assertThatThrownBy(() -> new RotaryEmbedding(Pairing.HALVES, 4, 3, 10_000, 1))
        .hasMessage("rotary width 3 of a head of width 4");
    assertThatThrownBy(() -> new RotaryEmbedding(Pairing.HALVES, 4, 6, 10_000, 1))
        .hasMessage("rotary width 6 of a head of width 4");
    assertThatThrownBy(() -> new RotaryEmbedding(Pairing.HALVES, 4, 4, 0, 1))
        .hasMessageContaining("base 0.0");
    assertThatThrownBy(() -> new RotaryEmbedding(Pairing.HALVES, 4, 4, 10_000, 1, 0))
        .hasMessage("a magnitude of 0.0");
  }

  @Test
  void attentionGivesTheValuesOfItsHeads() {
    gives(attention(2, 1, 4, 6), List.of(X, IDS), X.type().withColumns(12));
    refuses(attention(3, 1, 4, 6), "queries have 8 columns", X, IDS);
    refuses(attention(2, 1, 4, 6), "positions of other rows", X, ROWS);
    refuses(attention(2, 1, 4, 6), "positions are F32", X, X);
    assertThatThrownBy(() -> attention(3, 2, 4, 4)).hasMessageContaining("3 heads on 2 KV heads");
    RopeAttention fused = new RopeAttention(ROTARY, attention(2, 1, 4, 4));
    Value k = value("k", DataType.F32, Symbolic.TOKENS, 4);
    gives(fused, List.of(X, k, k, IDS), X.type());
    refuses(fused, "keys are ", X, X, k, IDS);
    refuses(fused, "values are ", X, k, X, IDS);
    refuses(fused, "w has shape [3], not [2]", X, k, k, IDS, weight(3));
    refuses(
        new RopeAttention(ROTARY, attention(1, 1, 8, 4)), "heads of different width", X, X, k, IDS);
  }

  @Test
  void attentionMayHaveASinkForEachHead() {
    Attention sinking = attention(2, 1, 4, 4).withSinks();
    gives(sinking, List.of(X, IDS, weight(2)), X.type());
    assertThatThrownBy(() -> sinking.infer(List.of(X, IDS)))
        .hasMessage("Attention takes 3 inputs, not 2");
    refuses(sinking, "w has shape [1], not [2]", X, IDS, weight(1));
    RopeAttention fused = new RopeAttention(ROTARY, sinking);
    Value k = value("k", DataType.F32, Symbolic.TOKENS, 4);
    gives(fused, List.of(X, k, k, IDS, weight(2)), X.type());
    gives(fused, List.of(X, k, k, IDS, weight(2), weight(2)), X.type());
    assertThatThrownBy(() -> fused.infer(List.of(X, k, k, IDS)))
        .hasMessage("RopeAttention takes 5 inputs, not 4");
  }

  @Test
  void attentionTakesTheRelativeBiasesOfItsScoreBehindItsSinks() {
    Score score = new Score.Plus(Score.PLAIN, new Score.RelativeBias(8, 20, true));
    Attention biased = new Attention(SLOT, 2, 1, 4, 4, 1, Mask.CAUSAL, score);
    gives(biased, List.of(X, IDS, weight(8, 2)), X.type());
    gives(biased.withSinks(), List.of(X, IDS, weight(2), weight(8, 2)), X.type());
    refuses(biased, "w has shape [2, 8], not [8, 2]", X, IDS, weight(2, 8));
    Score two = new Score.Plus(score, new Score.RelativeBias(8, 21, true));
    assertThatThrownBy(() -> new Attention(SLOT, 2, 1, 4, 4, 1, Mask.CAUSAL, two))
        .hasMessage("a score with different relative biases");
  }

  @Test
  void whatIsCachedMustFitTheState() {
    StateLayout state =
        new StateLayout(List.of(new StateGroup(1, 8, 12, DataType.F32, DataType.F32, 0)));
    refusesInGraph("wide has 12 columns, its cache 8", state, new CacheWrite(SLOT), WIDE, WIDE);
    refusesInGraph("x has 8 columns, its cache 12", state, new CacheWrite(SLOT), X, X);
    refusesInGraph(
        "the state has no StateSlot[group=0, layer=1]",
        state,
        new CacheWrite(new StateSlot(0, 1)),
        X,
        WIDE);
    refusesInGraph("the state has no", state, new CacheWrite(new StateSlot(1, 0)), X, WIDE);
    refusesInGraph("does not fit", state, attention(2, 1, 4, 6), X, IDS);
    Value k = value("k", DataType.F32, Symbolic.TOKENS, 4);
    refusesInGraph(
        "does not fit", state, new RopeAttention(ROTARY, attention(2, 1, 4, 4)), X, k, k, IDS);
  }

  private static void refusesInGraph(String message, StateLayout state, Op op, Value... inputs) {
    List<Value> outputs = new ArrayList<>();
    for (ValueType type : op.infer(List.of(inputs))) {
      outputs.add(new Value(-1 - outputs.size(), "y", type));
    }
    List<Node> nodes = List.of(new Node(op, List.of(inputs), outputs));
    assertThatThrownBy(() -> new Graph(List.of(inputs), nodes, List.of(), state))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void sampleTakesParametersOfEachRowAndAnyNumberOfChanges() {
    Value parameters =
        value("parameters", DataType.I32, Symbolic.OUTPUTS, SampleParameters.COLUMNS);
    Value changes = value("changes", DataType.I32, Symbolic.CHANGES, Sample.CHANGE_COLUMNS);
    gives(new Sample(), List.of(SELECTED, parameters, changes), ROWS.type());
    refuses(new Sample(), "x is I32", value("x", DataType.I32, Symbolic.OUTPUTS, 8), ROWS, ROWS);
    refuses(new Sample(), "parameters are", X, parameters, changes);
    refuses(new Sample(), "parameters are", SELECTED, ROWS, changes);
    refuses(new Sample(), "changes are", SELECTED, parameters, ROWS);
    Value wide = value("wide", DataType.F32, Symbolic.OUTPUTS, Sample.MOST_COLUMNS + 1);
    refuses(new Sample(), "a vocabulary of 4194305", wide, parameters, changes);
  }

  @Test
  void aSampledGraphHasTheTokensAsItsOnlyOutput() {
    GraphBuilder builder = new GraphBuilder();
    Value x = builder.input("x", ValueType.f32(Symbolic.OUTPUTS, 8));
    Value y = builder.add("y", new Scale(2), x);
    Graph graph = builder.build(List.of(y), new StateLayout(List.of()));
    assertThat(graph.sampledColumns()).isZero();
    Graph sampled = graph.sampled("y");
    assertThat(sampled.outputs()).containsExactly(sampled.value(Graph.SAMPLED));
    assertThat(sampled.sampledColumns()).isEqualTo(8);
    assertThat(sampled.inputs().stream().map(Value::name))
        .containsExactly("x", Graph.SAMPLING, Graph.CHANGES);
  }

  @Test
  void aGraphIsCheckedAsAWhole() {
    GraphBuilder builder = new GraphBuilder();
    Value x = builder.input("x", ValueType.f32(Symbolic.TOKENS, 8));
    Value y = builder.add("y", new Scale(2), x);
    StateLayout none = new StateLayout(List.of());
    assertThatThrownBy(() -> new Graph(List.of(), builder.nodes(), List.of(y), none))
        .hasMessage("x is read before it is computed");
    assertThatThrownBy(() -> builder.build(List.of(X), none))
        .hasMessageContaining("an output is never computed");
    assertThatThrownBy(() -> builder.build(List.of(y), none).value("z"))
        .hasMessage("the graph has no value z");
    assertThatThrownBy(() -> builder.add(List.of("a", "b"), new Scale(2), List.of(x)))
        .hasMessageContaining("has 1 outputs, not [a, b]");
  }
}
