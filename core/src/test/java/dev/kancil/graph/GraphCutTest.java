package dev.kancil.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.family.Families;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.TinyModels;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GraphCutTest {
  @TempDir Path folder;

  private Graph graph(TinyModels tiny) {
    try (GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.open(tiny.write(folder)))) {
      return Families.load(checkpoint, DataType.F32, DataType.F32).graph();
    }
  }

  @ParameterizedTest
  @EnumSource
  void partsHaveAllNodesAndLayersOnce(TinyModels tiny) {
    Graph graph = graph(tiny);
    assertThat(graph.layers()).isEqualTo(tiny == TinyModels.LLAMA ? 2 : 3);
    for (int layer = 0; layer < graph.layers(); layer++) {
      GraphCut cut = GraphCut.behind(graph, Graph.layerOutput(layer));
      assertThat(cut.before().nodes().size() + cut.after().nodes().size())
          .isEqualTo(graph.nodes().size());
      assertThat(cut.before().state().bytes(100) + cut.after().state().bytes(100))
          .isEqualTo(graph.state().bytes(100));
      assertThat(cut.before().layers()).isEqualTo(layer + 1);
      assertThat(cut.before().outputs()).containsExactly(cut.carried());
      assertThat(cut.after().outputs()).isEqualTo(graph.outputs());
      assertThat(cut.before().inputs().stream().map(Value::name))
          .containsExactlyInAnyOrder(Graph.TOKENS, Graph.POSITIONS);
      assertThat(cut.after().broughtInputs()).containsExactly(cut.carried());
      assertThat(graph.broughtInputs()).isEmpty();
    }
  }

  @Test
  void groupsWithoutLayersAreLeftOut() {
    Graph graph = graph(TinyModels.GEMMA3);
    GraphCut cut = GraphCut.behind(graph, Graph.layerOutput(0));
    List<StateGroup> whole = graph.state().groups();
    assertThat(whole.get(0).window()).isEqualTo(TinyModels.WINDOW);
    assertThat(cut.before().state().groups()).containsExactly(whole.get(0).withLayers(1));
    // What comes behind: a layer without a window, and the other with one.
    assertThat(cut.after().state().groups())
        .containsExactlyInAnyOrder(whole.get(0).withLayers(1), whole.get(1));
  }

  @Test
  void capturedValuesAreOutputsOfThePartThatComputesThem() {
    Graph graph = Taps.capture(graph(TinyModels.GEMMA3), "hidden.*");
    GraphCut cut = GraphCut.behind(graph, Graph.layerOutput(1));
    assertThat(cut.before().outputs().stream().map(Value::name))
        .containsExactly(Graph.layerOutput(1), "hidden.embeddings", Graph.layerOutput(0));
    assertThat(cut.after().outputs().stream().map(Value::name))
        .containsExactly("logits", Graph.layerOutput(2), "hidden.final_norm");
  }

  @Test
  void whereMoreThanOneValueWouldBeCarriedThereIsNoCut() {
    Graph graph = graph(TinyModels.LLAMA);
    assertThatThrownBy(() -> GraphCut.behind(graph, "blocks.1.attention.norm"))
        .hasMessage("behind blocks.1.attention.norm hidden.layer.0 is still read");
    assertThatThrownBy(() -> GraphCut.behind(graph, Graph.layerOutput(2)))
        .hasMessageContaining("no value hidden.layer.2");
    assertThatThrownBy(() -> GraphCut.behind(graph, Graph.TOKENS))
        .hasMessage("the graph does not compute tokens");
    Graph fused = Fusion.fuse(graph, _ -> true);
    assertThatThrownBy(() -> GraphCut.behind(fused, Graph.layerOutput(0)))
        .hasMessageContaining("fused already");
  }
}
