package dev.kancil.graph.fusion;

import static org.assertj.core.api.Assertions.assertThat;

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
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.Bias;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.Score;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.testing.DecomposingDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FusionTest {
  private static final StateLayout STATE =
      new StateLayout(List.of(new StateGroup(1, 8, 8, DataType.F32, DataType.F32, 0)));
  private static final StateSlot SLOT = new StateSlot(0, 0);
  private static final RotaryEmbedding ROTARY =
      new RotaryEmbedding(Pairing.HALVES, 8, 8, 10_000, 1);
  private static final Attention ATTENTION =
      new Attention(SLOT, 1, 1, 8, 8, 1, Mask.CAUSAL, Score.PLAIN);

  private final GraphBuilder builder = new GraphBuilder();
  private final Value positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
  private final Value x = builder.input("x", ValueType.f32(Symbolic.TOKENS, 8));
  private final Value z = builder.input("z", ValueType.f32(Symbolic.TOKENS, 8));

  private static Weight weight(String name, long... shape) {
    return new Weight(name, DataType.F32, Shape.of(shape));
  }

  private Graph build(Value... outputs) {
    return builder.build(List.of(outputs), STATE);
  }

  private static List<String> ops(Graph graph) {
    return graph.nodes().stream().map(node -> node.op().name()).toList();
  }

  /** The fused graph computes, by its definition, what the graph did: node for node. */
  private static void meansTheSame(Graph graph, Graph fused) {
    assertThat(ops(DecomposingDevice.decompose(fused)))
        .containsExactlyInAnyOrderElementsOf(ops(graph));
    assertThat(fused.outputs()).isEqualTo(graph.outputs());
    assertThat(fused.inputs()).isEqualTo(graph.inputs());
    assertThat(fused.weights()).containsExactlyInAnyOrderElementsOf(graph.weights());
  }

  private static void leaves(Fusion fusion, Graph graph) {
    assertThat(fusion.apply(graph, _ -> true)).isSameAs(graph);
  }

  // Residual add and norm.

  private Graph addAndNorm(boolean keepSum) {
    Value sum = builder.add("sum", new Add(), x, z);
    Value normed = builder.add("normed", new RmsNorm(1e-5f, 8), sum, weight("w", 8));
    Value y = builder.add("y", new Add(), sum, normed);
    return keepSum ? build(y, sum) : build(y);
  }

  @Test
  void anAddAndTheNormOfItsSumBecomeOne() {
    Graph graph = addAndNorm(false);
    Graph fused = new AddRmsNormFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("AddRmsNorm", "Add");
    Node node = fused.nodes().getFirst();
    assertThat(node.op()).isEqualTo(new AddRmsNorm(1e-5f));
    assertThat(node.outputs()).extracting(Value::name).containsExactly("sum", "normed");
    meansTheSame(graph, fused);
  }

  @Test
  void theSumOfAFusedNormCanStillBeTapped() {
    Graph graph = addAndNorm(true);
    Graph fused = new AddRmsNormFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("AddRmsNorm", "Add");
    meansTheSame(graph, fused);
  }

  @Test
  void normsOfHeadsAndOfOtherValuesStayAlone() {
    Value sum = builder.add("sum", new Add(), x, z);
    Value heads = builder.add("heads", new RmsNorm(1e-5f, 4), sum, weight("w", 4));
    Value other = builder.add("other", new RmsNorm(1e-5f, 8), x, weight("v", 8));
    leaves(new AddRmsNormFusion(), build(heads, other));
  }

  @Test
  void onlyOneNormOfASumIsFused() {
    Value sum = builder.add("sum", new Add(), x, z);
    Value first = builder.add("first", new RmsNorm(1e-5f, 8), sum, weight("w", 8));
    Value second = builder.add("second", new RmsNorm(1e-5f, 8), sum, weight("v", 8));
    Graph graph = build(first, second);
    Graph fused = new AddRmsNormFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("AddRmsNorm", "RmsNorm");
    meansTheSame(graph, fused);
  }

  // Gate and up.

  private Value glu(Value upInput) {
    Value gate = builder.add("gate", new MatMul(), x, weight("g", 5, 8));
    Value up = builder.add("up", new MatMul(), upInput, weight("u", 5, 8));
    return builder.add("y", new Glu(Activation.SILU), gate, up);
  }

  @Test
  void gateAndUpBecomeOne() {
    Graph graph = build(glu(x));
    Graph fused = new GluMatMulFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("GluMatMul");
    assertThat(fused.weights()).extracting(Weight::name).containsExactly("g", "u");
    meansTheSame(graph, fused);
  }

  @Test
  void gateAndUpOfDifferentInputsStayApart() {
    leaves(new GluMatMulFusion(), build(glu(z)));
  }

  @Test
  void aTappedGateUndoesTheFusionThatWouldHideIt() {
    Value y = glu(x);
    Graph graph = build(y);
    leaves(new GluMatMulFusion(), graph.withOutputs(List.of(graph.value("gate"))));
    leaves(new GluMatMulFusion(), graph.withOutputs(List.of(graph.value("up"))));
  }

  @Test
  void aGateThatSomebodyElseReadsStays() {
    Value gate = builder.add("gate", new MatMul(), x, weight("g", 5, 8));
    Value up = builder.add("up", new MatMul(), x, weight("u", 5, 8));
    Value y = builder.add("y", new Glu(Activation.SILU), gate, up);
    Value more = builder.add("more", new Add(), y, gate);
    leaves(new GluMatMulFusion(), build(more));
  }

  @Test
  void aProductThatIsGateAndUpStays() {
    Value both = builder.add("both", new MatMul(), x, weight("g", 5, 8));
    leaves(new GluMatMulFusion(), build(builder.add("y", new Glu(Activation.SILU), both, both)));
  }

  // Gate and up of experts.

  private List<Value> expertGlu(boolean sameIds) {
    Value ids = builder.indexes("ids", Symbolic.TOKENS);
    Value others = builder.indexes("others", Symbolic.TOKENS);
    Value gate = builder.add("gate", new MoeMatMul(), x, weight("g", 3, 5, 8), ids);
    Value up = builder.add("up", new MoeMatMul(), x, weight("u", 3, 5, 8), sameIds ? ids : others);
    return List.of(gate, up, builder.add("y", new Glu(Activation.SILU), gate, up));
  }

  @Test
  void gateAndUpOfExpertsBecomeOne() {
    Graph graph = build(expertGlu(true).getLast());
    Graph fused = new MoeGluMatMulFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("MoeGluMatMul");
    assertThat(fused.nodes().getFirst().inputs())
        .containsExactly(
            x, weight("g", 3, 5, 8), weight("u", 3, 5, 8), graph.nodes().getFirst().value(2));
    meansTheSame(graph, fused);
  }

  @Test
  void gateAndUpOfDifferentExpertsStayApart() {
    leaves(new MoeGluMatMulFusion(), build(expertGlu(false).getLast()));
  }

  @Test
  void gateAndUpOfDifferentNumbersOfExpertsStayApart() {
    Value ids = builder.indexes("ids", Symbolic.TOKENS);
    Value gate = builder.add("gate", new MoeMatMul(), x, weight("g", 3, 5, 8), ids);
    Value up = builder.add("up", new MoeMatMul(), x, weight("u", 4, 5, 8), ids);
    leaves(new MoeGluMatMulFusion(), build(builder.add("y", new Glu(Activation.SILU), gate, up)));
  }

  @Test
  void aTappedGateOfExpertsUndoesTheFusionThatWouldHideIt() {
    List<Value> values = expertGlu(true);
    leaves(new MoeGluMatMulFusion(), build(values.get(2), values.get(0)));
    leaves(new MoeGluMatMulFusion(), build(values.get(2), values.get(1)));
  }

  // Products of one input.

  @Test
  void allProductsOfAnInputBecomeOne() {
    Value q = builder.add("q", new MatMul(), x, weight("q.w", 8, 8));
    Value scaled = builder.add("scaled", new Scale(2), q);
    Value k = builder.add("k", new MatMul(), x, weight("k.w", 4, 8));
    Value other = builder.add("other", new MatMul(), z, weight("o.w", 4, 8));
    Value v = builder.add("v", new MatMul(), x, weight("v.w", 2, 8));
    Graph graph = build(scaled, k, v, other, q);
    Graph fused = new ParallelMatMulFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("ParallelMatMul", "Scale", "MatMul");
    assertThat(fused.nodes().getFirst().op()).isEqualTo(new ParallelMatMul(3));
    meansTheSame(graph, fused);
  }

  @Test
  void aSingleProductStays() {
    leaves(new ParallelMatMulFusion(), build(builder.add("q", new MatMul(), x, weight("w", 8, 8))));
  }

  // Rotation, cache and attention.

  private List<Value> rotatedAttention(Value between) {
    Value q = builder.add("q", new Rope(ROTARY), x, positions);
    Value k = builder.add("k", new Rope(ROTARY), between, positions);
    builder.add(List.of(), new CacheWrite(SLOT), List.of(k, z));
    return List.of(q, k, builder.add("y", ATTENTION, q, positions));
  }

  @Test
  void rotationCacheAndAttentionBecomeOne() {
    Graph graph = build(rotatedAttention(x).getLast());
    Graph fused = new RopeAttentionFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("RopeAttention");
    assertThat(fused.nodes().getFirst().op()).isEqualTo(new RopeAttention(ROTARY, ATTENTION));
    assertThat(fused.nodes().getFirst().inputs()).containsExactly(x, x, z, positions);
    meansTheSame(graph, fused);
  }

  @Test
  void aTappedRotationUndoesTheFusionThatWouldHideIt() {
    List<Value> values = rotatedAttention(z);
    leaves(new RopeAttentionFusion(), build(values.get(2), values.get(0)));
    leaves(new RopeAttentionFusion(), build(values.get(2), values.get(1)));
  }

  @Test
  void attentionOfADifferentlyTurnedKeyStays() {
    Value q = builder.add("q", new Rope(ROTARY), x, positions);
    RotaryEmbedding other = new RotaryEmbedding(Pairing.HALVES, 8, 8, 500_000, 1);
    Value k = builder.add("k", new Rope(other), x, positions);
    builder.add(List.of(), new CacheWrite(SLOT), List.of(k, z));
    leaves(new RopeAttentionFusion(), build(builder.add("y", ATTENTION, q, positions)));
  }

  @Test
  void factorsOfTheRotationAreKept() {
    Weight factors = weight("factors", 4);
    Value q = builder.add("q", new Rope(ROTARY), x, positions, factors);
    Value k = builder.add("k", new Rope(ROTARY), z, positions, factors);
    builder.add(List.of(), new CacheWrite(SLOT), List.of(k, z));
    Graph graph = build(builder.add("y", ATTENTION, q, positions));
    Graph fused = new RopeAttentionFusion().apply(graph, _ -> true);
    assertThat(fused.nodes().getFirst().inputs()).endsWith(factors);
    meansTheSame(graph, fused);
  }

  @Test
  void sinksOfTheAttentionAreKeptBehindTheFactorsOfTheRotation() {
    Weight factors = weight("factors", 4);
    Weight sinks = weight("sinks", 1);
    for (boolean hasFactors : new boolean[] {false, true}) {
      List<Operand> turn = hasFactors ? List.of(positions, factors) : List.of(positions);
      List<Operand> ofQuery = new ArrayList<>(turn);
      ofQuery.addFirst(x);
      List<Operand> ofKey = new ArrayList<>(turn);
      ofKey.addFirst(z);
      GraphBuilder sinking = new GraphBuilder(100);
      Value q = sinking.add(List.of("q"), new Rope(ROTARY), ofQuery).getFirst();
      Value k = sinking.add(List.of("k"), new Rope(ROTARY), ofKey).getFirst();
      sinking.add(List.of(), new CacheWrite(SLOT), List.of(k, z));
      Value y = sinking.add("y", ATTENTION.withSinks(), q, positions, sinks);
      Graph graph = new Graph(List.of(x, z, positions), sinking.nodes(), List.of(y), STATE);
      Graph fused = new RopeAttentionFusion().apply(graph, _ -> true);
      assertThat(ops(fused)).containsExactly("RopeAttention");
      assertThat(fused.nodes().getFirst().inputs())
          .startsWith(x, z, z, positions)
          .endsWith(hasFactors ? new Operand[] {factors, sinks} : new Operand[] {sinks});
      meansTheSame(graph, fused);
    }
  }

  // Norms and what takes them.

  private Value norm(Value of) {
    return builder.add("normed", new RmsNorm(1e-5f, of.type().columns()), of, weight("n", 8));
  }

  @Test
  void aNormAndTheProductOfItBecomeOne() {
    Value y = builder.add("y", new MatMul(), norm(x), weight("w", 5, 8));
    Graph graph = build(y);
    Graph fused = new NormedProductFusion().apply(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("NormMatMul");
    assertThat(fused.nodes().getFirst().op())
        .isEqualTo(new NormedProduct(1e-5f, false, new MatMul()));
    meansTheSame(graph, fused);
  }

  @Test
  void aSumItsNormAndFusedProductsBecomeOneInWhichTheSumCanBeRead() {
    Value sum = builder.add("sum", new Add(), x, z);
    Value normed = norm(sum);
    Value scaled = builder.add("scaled", new Scale(2), sum);
    Value q = builder.add("q", new MatMul(), normed, weight("q", 5, 8));
    Value k = builder.add("k", new MatMul(), normed, weight("k", 3, 8));
    Graph graph = build(scaled, q, k, sum);
    Graph fused = Fusion.fuse(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("AddNormParallelMatMul", "Scale");
    assertThat(fused.nodes().getFirst().outputs())
        .extracting(Value::name)
        .containsExactly("sum", "q", "k");
    meansTheSame(graph, fused);
  }

  @Test
  void aNormBeforeGateAndUpIsTakenIn() {
    Graph graph = build(glu(norm(x), "g"));
    Graph fused = Fusion.fuse(graph, _ -> true);
    assertThat(ops(fused)).containsExactly("NormGluMatMul");
    meansTheSame(graph, fused);
  }

  private Value glu(Value of, String name) {
    Value gate = builder.add(name + "ate", new MatMul(), of, weight(name, 5, 8));
    Value up = builder.add("up", new MatMul(), of, weight("u", 5, 8));
    return builder.add("y", new Glu(Activation.SILU), gate, up);
  }

  @Test
  void normsThatOthersReadOrOfHeadsStayAlone() {
    Value shown = norm(x);
    Value first = builder.add("first", new MatMul(), shown, weight("w", 5, 8));
    Value heads = builder.add("heads", new RmsNorm(1e-5f, 4), z, weight("h", 4));
    Value second = builder.add("second", new MatMul(), heads, weight("v", 5, 8));
    leaves(new NormedProductFusion(), build(shown, first, second));
  }

  @Test
  void aDeviceThatTakesNoNormInAProductKeepsBoth() {
    Graph graph = build(builder.add("y", new MatMul(), norm(x), weight("w", 5, 8)));
    assertThat(Fusion.fuse(graph, fused -> !(fused instanceof NormedProduct))).isSameAs(graph);
  }

  // All together.

  @Test
  void biasesBetweenProductsAndRotationsLeaveBothFused() {
    Value[] biased = new Value[3];
    for (int i = 0; i < biased.length; i++) {
      Value product = builder.add("product" + i, new MatMul(), x, weight("w" + i, 8, 8));
      biased[i] = builder.add("biased" + i, new Bias(), product, weight("b" + i, 8));
    }
    Value q = builder.add("q", new Rope(ROTARY), biased[0], positions);
    Value k = builder.add("k", new Rope(ROTARY), biased[1], positions);
    builder.add(List.of(), new CacheWrite(SLOT), List.of(k, biased[2]));
    Graph graph = build(builder.add("y", ATTENTION, q, positions));
    Graph fused = Fusion.fuse(graph, _ -> true);
    assertThat(ops(fused))
        .containsExactly("ParallelMatMul", "Bias", "Bias", "Bias", "RopeAttention");
    assertThat(fused.nodes().getLast().inputs())
        .containsExactly(biased[0], biased[1], biased[2], positions);
    meansTheSame(graph, fused);
  }

  @Test
  void nothingIsFusedForADeviceThatTakesNothing() {
    List<Value> outputs = new ArrayList<>(rotatedAttention(z));
    outputs.add(glu(x));
    Graph graph = build(outputs.get(2), outputs.get(3));
    assertThat(Fusion.fuse(graph, _ -> false)).isSameAs(graph);
  }

  @Test
  void aDeviceGetsOnlyWhatItTakes() {
    Value y = glu(x);
    Graph graph = build(y, rotatedAttention(z).getLast());
    assertThat(ops(Fusion.fuse(graph, GluMatMul.class::isInstance)))
        .containsExactly("GluMatMul", "Rope", "Rope", "CacheWrite", "Attention");
    assertThat(ops(Fusion.fuse(graph, _ -> true))).containsExactly("GluMatMul", "RopeAttention");
  }
}
