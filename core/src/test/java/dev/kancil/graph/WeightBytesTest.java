package dev.kancil.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.family.Families;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.TinyModels;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many bytes of weights a token's row reads. */
class WeightBytesTest {
  @TempDir private Path folder;

  private static long whole(TinyModels model) {
    return model.tensors().values().stream()
        .map(Tensor::data)
        .mapToLong(data -> data.byteSize())
        .sum();
  }

  private long read(TinyModels model) {
    try (GgufFile file = GgufFile.open(model.write(folder))) {
      return Families.load(new GgufCheckpoint(file), DataType.F32, DataType.F32)
          .graph()
          .weightBytesPerToken();
    }
  }

  @Test
  void ofATableThatOnlyEmbedsOneRowIsRead() {
    long row = 4 * 32;
    assertThat(read(TinyModels.LLAMA))
        .isEqualTo(whole(TinyModels.LLAMA) - (TinyModels.VOCABULARY - 1) * row);
  }

  @Test
  void aTableThatIsTheHeadTooIsReadWholeAndOnce() {
    assertThat(read(TinyModels.GEMMA3)).isEqualTo(whole(TinyModels.GEMMA3));
  }

  @Test
  void ofExpertsThoseOfTheRowAreRead() {
    GraphBuilder builder = new GraphBuilder();
    Value x = builder.input("x", new ValueType(DataType.F32, Symbolic.TOKENS, 64));
    Value ids = builder.input("ids", new ValueType(DataType.I32, Symbolic.TOKENS, 2));
    Weight experts = new Weight("experts", DataType.Q8_0, Shape.of(8, 3, 64));
    Value y = builder.add("y", new MoeMatMul(), x, experts, ids);
    Graph graph = builder.build(List.of(y), new StateLayout(List.of()));
    assertThat(graph.weightBytesPerToken()).isEqualTo(2 * 3 * 68);
    assertThat(graph.multiplicationsPerToken()).isEqualTo(2 * 3 * 64);
  }

  @Test
  void aTokenOfAPromptIsMultipliedWithAllMatricesButTheHead() {
    try (GgufFile file = GgufFile.open(TinyModels.LLAMA.write(folder))) {
      Graph graph = Families.load(new GgufCheckpoint(file), DataType.F32, DataType.F32).graph();
      long matrices =
          graph.weights().stream()
              .filter(weight -> weight.shape().rank() == 2)
              .filter(weight -> weight.shape().rows() != TinyModels.VOCABULARY)
              .mapToLong(weight -> weight.shape().elements())
              .sum();
      assertThat(matrices).isPositive();
      assertThat(graph.multiplicationsPerToken()).isEqualTo(matrices);
    }
  }
}
