package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Adapter;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufAdapter;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.format.huggingface.PeftAdapter;
import dev.kancil.format.safetensors.SafetensorsWriter;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.TinyModels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What adapters make of weights, by the papers' formulas. */
class AdapterTest {
  private static final Offset<Double> ROUNDING = Offset.offset(2e-6);
  private static final int RANK = 3;
  private static final String MODULE = "model.layers.1.self_attn.q_proj";
  private static final String PREFIX = "base_model.model.";

  @TempDir private Path folder;
  private final SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();

  @BeforeEach
  void unpack() {
    ReferenceModel.unpack("llama", folder);
  }

  private static FloatArray numbers(int seed, long... shape) {
    FloatArray array = FloatArray.zeros(shape);
    for (int i = 0; i < array.values().length; i++) {
      array.values()[i] = (float) Math.sin(seed + 1.7 * i);
    }
    return array;
  }

  private HuggingFaceCheckpoint checkpoint() {
    return HuggingFaceCheckpoint.open(folder.resolve("llama"));
  }

  private Path adapter(String config) throws IOException {
    Path place = Files.createDirectories(folder.resolve("adapter"));
    Files.writeString(place.resolve(PeftAdapter.CONFIG), config);
    SafetensorsWriter.write(place.resolve("adapter_model.safetensors"), arrays);
    return place;
  }

  private FloatArray put(String name, FloatArray array) {
    arrays.put(PREFIX + name, array);
    return array;
  }

  /** A weight's numbers without an adapter. */
  private float[] plain(String name) {
    try (HuggingFaceCheckpoint checkpoint = checkpoint()) {
      return Blocks.decode(checkpoint.tensor(name).orElseThrow());
    }
  }

  private float[] adapted(Path path, float scale, String name) {
    try (HuggingFaceCheckpoint checkpoint = checkpoint();
        Adapter adapter = PeftAdapter.open(path, scale)) {
      return changed(load(checkpoint, adapter), name);
    }
  }

  private static float[] changed(LoadedModel.OfDecoder model, String name) {
    return model.graph().weights().stream()
        .filter(weight -> weight.name().startsWith(name))
        .map(weight -> Blocks.decode(model.weights().tensor(weight)))
        .findFirst()
        .orElseThrow();
  }

  private static GgufWriter adapterFile() {
    GgufWriter writer = new GgufWriter();
    writer.put("general.architecture", new GgufValue.Text("llama"));
    writer.put("general.type", new GgufValue.Text("adapter"));
    writer.put("adapter.type", new GgufValue.Text("lora"));
    writer.put("adapter.lora.alpha", new GgufValue.Float32(6));
    return writer;
  }

  private static LoadedModel.OfDecoder load(Checkpoint checkpoint, Adapter adapter) {
    return (LoadedModel.OfDecoder)
        Families.open(checkpoint, DataType.F32, DataType.F32, length -> length, List.of(adapter));
  }

  private static double product(FloatArray a, FloatArray b, int row, int column) {
    int in = (int) a.shape().columns();
    double sum = 0;
    for (int i = 0; i < RANK; i++) {
      sum += (double) b.values()[row * RANK + i] * a.values()[i * in + column];
    }
    return sum;
  }

  @Test
  void alphaOverTheRootOfTheRankAndPatternsAndTheCallersScaleCount() throws IOException {
    FloatArray a = put(MODULE + ".lora_A.weight", numbers(1, RANK, 64));
    FloatArray b = put(MODULE + ".lora_B.weight", numbers(2, 64, RANK));
    Path path =
        adapter(
            """
            {"peft_type": "LORA", "lora_alpha": 99, "use_rslora": true,
             "alpha_pattern": {"layers.1.self_attn.q_proj": 6}}
            """);
    float[] before = plain(MODULE + ".weight");
    float[] after = adapted(path, 0.5f, MODULE + ".weight");
    double factor = 0.5 * 6 / Math.sqrt(RANK);
    for (int i = 0; i < before.length; i++) {
      double expected = before[i] + factor * product(a, b, i / 64, i % 64);
      assertThat((double) after[i]).isCloseTo(expected, ROUNDING);
    }
  }

  @Test
  void magnitudesAreTheLengthsOfRows() throws IOException {
    FloatArray a = put(MODULE + ".lora_A.weight", numbers(3, RANK, 64));
    FloatArray b = put(MODULE + ".lora_B.weight", numbers(4, 64, RANK));
    FloatArray magnitude = put(MODULE + ".lora_magnitude_vector", numbers(5, 64));
    Path path =
        adapter("{\"peft_type\": \"LORA\", \"lora_alpha\": 6, \"use_dora\": true, \"r\": 3}");
    float[] before = plain(MODULE + ".weight");
    float[] after = adapted(path, 1, MODULE + ".weight");
    for (int row = 0; row < 64; row++) {
      double sum = 0;
      for (int column = 0; column < 64; column++) {
        sum += Math.pow(before[row * 64 + column] + 2 * product(a, b, row, column), 2);
      }
      double factor = magnitude.values()[row] / Math.sqrt(sum);
      for (int column = 0; column < 64; column++) {
        double changed = before[row * 64 + column] + 2 * product(a, b, row, column);
        assertThat((double) after[row * 64 + column]).isCloseTo(factor * changed, ROUNDING);
      }
    }
  }

  @Test
  void embeddingsAreChangedAndWholeModulesReplaced() throws IOException {
    String table = "model.embed_tokens";
    long vocabulary = plain(table + ".weight").length / 64;
    FloatArray a = put(table + ".lora_embedding_A", numbers(6, RANK, vocabulary));
    FloatArray b = put(table + ".lora_embedding_B", numbers(7, 64, RANK));
    FloatArray norm = put("model.norm.weight", numbers(8, 64));
    Path path = adapter("{\"peft_type\": \"LORA\", \"lora_alpha\": 3}");
    float[] before = plain(table + ".weight");
    float[] after = adapted(path, 1, table + ".weight");
    for (int i = 0; i < before.length; i++) {
      double expected = before[i] + product(a, b, i % 64, i / 64);
      assertThat((double) after[i]).isCloseTo(expected, ROUNDING);
    }
    assertThat(adapted(path, 1, "model.norm.weight")).containsExactly(norm.values());
  }

  @Test
  void everythingThatDoesNotFitIsOneError() throws IOException {
    put(MODULE + ".lora_A.weight", numbers(1, RANK, 60));
    put(MODULE + ".lora_B.weight", numbers(2, 64, RANK));
    put("model.layers.77.mlp.up_proj.lora_A.weight", numbers(1, RANK, 64));
    put("model.layers.77.mlp.up_proj.lora_B.weight", numbers(1, 112, RANK));
    put("model.norm.weight", numbers(8, 65));
    Path path = adapter("{\"peft_type\": \"LORA\", \"lora_alpha\": 3}");
    try (HuggingFaceCheckpoint checkpoint = checkpoint();
        Adapter adapter = PeftAdapter.open(path, 1)) {
      assertThatThrownBy(() -> load(checkpoint, adapter))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("of " + MODULE + ".weight, factors have shapes [3, 60] and [64, 3]")
          .hasMessageContaining("of model.norm.weight, the shape is [65], not [64]")
          .hasMessageContaining("it changes model.layers.77.mlp.up_proj.weight, which the model");
    }
  }

  @Test
  void whatIsNotKnownOrMissingIsRefusedByName() throws IOException {
    put(MODULE + ".lora_B.weight", numbers(2, 64, RANK));
    Path path = adapter("{\"peft_type\": \"LORA\", \"lora_alpha\": 3}");
    assertThatThrownBy(() -> PeftAdapter.open(path, 1))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("has no " + PREFIX + MODULE + ".lora_A");
    for (String config :
        List.of(
            "{\"peft_type\": \"IA3\"}",
            "{\"peft_type\": \"LORA\", \"lora_alpha\": 1, \"use_qalora\": true}",
            "{\"peft_type\": \"LORA\", \"lora_alpha\": 1, \"target_parameters\": [\"x\"]}")) {
      assertThatThrownBy(() -> PeftAdapter.open(adapter(config), 1))
          .isInstanceOf(UnsupportedException.class);
    }
    put(MODULE + ".lora_A.weight", numbers(1, RANK, 64));
    assertThatThrownBy(() -> PeftAdapter.open(adapter("{\"peft_type\": \"LORA\"}"), 1))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("lora_alpha is null");
  }

  private Path pairOf(String name, FloatArray a, FloatArray b) {
    GgufWriter writer = adapterFile();
    writer.tensor(name + ".lora_a", tensor(a));
    writer.tensor(name + ".lora_b", tensor(b));
    Path file = folder.resolve("adapter.gguf");
    writer.write(file);
    return file;
  }

  @Test
  void pairsOfGgufFilesChangeWeightsOfGgufFiles() {
    String name = "blk.0.ffn_up.weight";
    try (Checkpoint checkpoint =
        new GgufCheckpoint(GgufFile.open(TinyModels.LLAMA.write(folder)))) {
      Tensor base = checkpoint.tensor(name).orElseThrow();
      int in = Math.toIntExact(base.shape().columns());
      FloatArray a = numbers(9, RANK, in);
      FloatArray b = numbers(10, base.shape().dimension(0), RANK);
      Path file = pairOf(name, a, b);
      float[] before = Blocks.decode(base);
      try (Adapter adapter = GgufAdapter.open(file, 0.5f)) {
        float[] after = changed(load(checkpoint, adapter), name);
        for (int i = 0; i < before.length; i++) {
          double expected = before[i] + product(a, b, i / in, i % in);
          assertThat((double) after[i]).isCloseTo(expected, ROUNDING);
        }
      }
    }
  }

  /** Of a table of embeddings the first factor is a table, too. */
  @Test
  void embeddingsOfGgufFilesAreChanged() {
    String name = "token_embd.weight";
    try (Checkpoint checkpoint =
        new GgufCheckpoint(GgufFile.open(TinyModels.LLAMA.write(folder)))) {
      Tensor base = checkpoint.tensor(name).orElseThrow();
      int in = Math.toIntExact(base.shape().columns());
      FloatArray a = numbers(11, base.shape().dimension(0), RANK);
      FloatArray b = numbers(12, in, RANK);
      Path file = pairOf(name, a, b);
      float[] before = Blocks.decode(base);
      try (Adapter adapter = GgufAdapter.open(file, 0.5f)) {
        float[] after = changed(load(checkpoint, adapter), name);
        for (int i = 0; i < before.length; i++) {
          double sum = 0;
          for (int j = 0; j < RANK; j++) {
            sum += (double) a.values()[i / in * RANK + j] * b.values()[i % in * RANK + j];
          }
          assertThat((double) after[i]).isCloseTo(before[i] + sum, ROUNDING);
        }
        assertThatThrownBy(
                () ->
                    Families.open(
                        checkpoint,
                        DataType.F32,
                        DataType.F32,
                        length -> length,
                        List.of(),
                        List.of(List.of(adapter)),
                        Optional.empty()))
            .isInstanceOf(UnsupportedException.class)
            .hasMessageContaining("it changes token_embd.weight: beside the base");
      }
    }
  }

  @Test
  void whatAppliesBehindSomeTokensAloneIsRefused() {
    GgufWriter writer = adapterFile();
    writer.put("adapter.alora.invocation_tokens", new GgufValue.Text("1 2"));
    Path file = folder.resolve("adapter.gguf");
    writer.write(file);
    assertThatThrownBy(() -> GgufAdapter.open(file, 1))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("adapter.alora.invocation_tokens is set");
  }

  @Test
  void aModelIsNoAdapter() {
    Path file = TinyModels.LLAMA.write(folder);
    assertThatThrownBy(() -> GgufAdapter.open(file, 1))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("of the type model, no adapter");
  }

  private static Tensor tensor(FloatArray array) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * array.values().length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(array.values());
    return new Tensor(DataType.F32, array.shape(), MemorySegment.ofArray(bytes.array()));
  }
}
