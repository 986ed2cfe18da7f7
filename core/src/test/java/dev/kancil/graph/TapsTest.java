package dev.kancil.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.graph.op.Scale;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.DecomposingDevice;
import dev.kancil.testing.TinyModels;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TapsTest {
  private static final int[] TOKENS = {5, 1, 80, 33, 7, 7, 12};

  @TempDir Path folder;
  private GgufCheckpoint checkpoint;
  private Device device;
  private Graph graph;
  private DeviceWeights weights;

  @BeforeEach
  void load() {
    checkpoint = new GgufCheckpoint(GgufFile.open(TinyModels.GEMMA3.write(folder)));
    device = new DecomposingDevice(new ReferenceBackend().open(0, DeviceOptions.DEFAULT));
    LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F32, DataType.F32);
    graph = model.graph();
    weights = device.weights(model.weights());
  }

  @AfterEach
  void close() {
    weights.close();
    device.close();
    checkpoint.close();
  }

  private Map<String, float[][]> run(Graph tapped) {
    return ForwardPass.run(device, tapped, weights, TOKENS, 4);
  }

  private float[][] logits(Graph tapped) {
    return run(tapped).getOrDefault("logits", new float[0][]);
  }

  @Test
  void aCapturedValueIsReadAndChangesNothing() {
    Map<String, float[][]> results = run(Taps.capture(graph, "hidden.layer.*"));
    assertThat(results.keySet())
        .containsExactly("logits", "hidden.layer.0", "hidden.layer.1", "hidden.layer.2");
    assertThat(results.get("logits")).isDeepEqualTo(logits(graph));
    assertThat(results.get("hidden.layer.1")).hasDimensions(TOKENS.length, 32);
  }

  @Test
  void aPatternMatchesAsAWhole() {
    assertThat(names("blocks.1.attention.query")).containsExactly("blocks.1.attention.query");
    assertThat(names("blocks.*.query"))
        .containsExactly(
            "blocks.0.attention.query", "blocks.1.attention.query", "blocks.2.attention.query");
    assertThat(names("*.1.*.rope"))
        .containsExactly("blocks.1.attention.query.rope", "blocks.1.attention.key.rope");
    assertThat(names("*")).hasSizeGreaterThan(30);
    for (String nothing :
        List.of("", "hidden", "layer.*", "hidden.layer.9", "*xyz*", "logits*logits")) {
      assertThatThrownBy(() -> Taps.capture(graph, nothing))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the graph has no value that matches " + nothing);
    }
  }

  private List<String> names(String pattern) {
    List<Value> outputs = Taps.capture(graph, pattern).outputs();
    List<String> names = new ArrayList<>(outputs.stream().map(Value::name).toList());
    names.remove("logits");
    return names;
  }

  @Test
  void aCallbackSeesTheValueAndMayReplaceIt() {
    List<Integer> rowsSeen = new ArrayList<>();
    Graph watched =
        Taps.call(graph, "hidden.layer.1", (data, rows, columns) -> rowsSeen.add(rows * columns));
    assertThat(logits(watched)).isDeepEqualTo(logits(graph));
    assertThat(rowsSeen).containsExactly(4 * 32, 3 * 32);
    Graph zeroed =
        Taps.call(
            graph,
            "hidden.layer.2",
            (data, rows, columns) -> data.asSlice(0, 4L * rows * columns).fill((byte) 0));
    for (float[] row : logits(zeroed)) {
      assertThat(row).containsOnly(0);
    }
    Graph replaced =
        Taps.call(
            graph,
            "blocks.0.attention.output",
            (data, rows, columns) -> data.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 10));
    assertThat(logits(replaced)[0]).isNotEqualTo(logits(graph)[0]);
  }

  @Test
  void anEditByAnOperationIsWhatEverybodyReads() {
    Graph edited =
        Taps.capture(Taps.edit(graph, "hidden.layer.0", new Scale(3)), "hidden.layer.0*");
    Map<String, float[][]> results = run(edited);
    float[][] before = results.getOrDefault("hidden.layer.0.before", new float[0][]);
    float[][] after = results.getOrDefault("hidden.layer.0", new float[0][]);
    assertThat(before).hasDimensions(TOKENS.length, 32);
    for (int row = 0; row < before.length; row++) {
      for (int i = 0; i < 32; i++) {
        assertThat(after[row][i]).isEqualTo(3 * before[row][i]);
      }
    }
    assertThat(results.get("logits")).isNotEqualTo(logits(graph));
  }

  @Test
  void editsOfTheSameValueFollowEachOther() {
    Graph twice = Taps.edit(Taps.edit(graph, "logits", new Scale(2)), "logits", new Scale(3));
    float[][] plain = logits(graph);
    float[][] scaled = logits(twice);
    for (int i = 0; i < plain[0].length; i++) {
      assertThat(scaled[0][i]).isEqualTo(3 * (2 * plain[0][i]));
    }
  }

  @Test
  void inputsAndUnknownValuesCanNotBeEdited() {
    assertThatThrownBy(() -> Taps.edit(graph, "tokens", new Scale(2)))
        .hasMessage("tokens is an input of the graph");
    assertThatThrownBy(() -> Taps.edit(graph, "nothing", new Scale(2)))
        .hasMessage("the graph has no value nothing");
  }

  @Test
  void aCallbackThatThrowsFailsTheStepAndNothingElse() {
    Graph broken =
        Taps.call(
            graph,
            "logits",
            (data, rows, columns) -> {
              throw new IllegalStateException("the tap is broken");
            });
    assertThatThrownBy(() -> run(broken))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("the tap is broken");
    assertThat(logits(graph)).hasDimensions(TOKENS.length, TinyModels.VOCABULARY);
  }

  private static long fused(Graph graph) {
    return Fusion.fuse(graph, _ -> true).nodes().stream()
        .filter(node -> node.op() instanceof dev.kancil.graph.op.Fused)
        .count();
  }

  @Test
  void onlyTheFusionThatHidesATappedValueIsUndone() {
    long all = fused(graph);
    assertThat(all).isGreaterThan(6);
    // A product beside others and a sum before its norm stay readable within their fusions.
    assertThat(fused(Taps.capture(graph, "blocks.1.attention.query"))).isEqualTo(all);
    assertThat(fused(Taps.capture(graph, "blocks.1.residual"))).isEqualTo(all);
    assertThat(fused(Taps.capture(graph, "blocks.1.attention.query.rope"))).isEqualTo(all - 1);
    // What remains of gate, up and GLU is two products of one input, which are fused as such.
    assertThat(fused(Taps.capture(graph, "blocks.1.feed_forward.gate"))).isEqualTo(all);
    Map<String, float[][]> results = run(Taps.capture(graph, "*"));
    assertThat(results.get("logits")).isDeepEqualTo(logits(graph));
  }
}
