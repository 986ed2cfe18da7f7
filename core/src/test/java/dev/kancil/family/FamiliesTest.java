package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.KancilException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufValue.IntType;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.TinyModels;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FamiliesTest {
  @TempDir Path folder;

  private static Tensor zeros(DataType type, long... dimensions) {
    Shape shape = Shape.of(dimensions);
    byte[] bytes = new byte[(int) (type.byteSize(shape.columns()) * shape.rows())];
    return new Tensor(type, shape, MemorySegment.ofArray(bytes));
  }

  private static GgufValue integer(long value) {
    return new GgufValue.Int(IntType.INT64, value);
  }

  private LoadedModel.OfDecoder load(Map<String, GgufValue> metadata, Map<String, Tensor> tensors) {
    Path path = folder.resolve("model.gguf");
    GgufWriter writer = new GgufWriter();
    metadata.forEach(writer::put);
    tensors.forEach(writer::tensor);
    writer.write(path);
    try (GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.open(path))) {
      return Families.load(checkpoint, DataType.F32, DataType.F32);
    }
  }

  private void refused(
      Class<? extends KancilException> type,
      String message,
      Map<String, GgufValue> metadata,
      Map<String, Tensor> tensors) {
    assertThatThrownBy(() -> load(metadata, tensors))
        .isInstanceOf(type)
        .hasMessageContaining("model.gguf")
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  private void refusedSetting(String key, GgufValue value, String message) {
    TinyModels model = key.startsWith("gemma3") ? TinyModels.GEMMA3 : TinyModels.LLAMA;
    Map<String, GgufValue> metadata = model.metadata();
    metadata.put(key, value);
    refused(KancilException.class, message, metadata, model.tensors());
  }

  private void refusedTensor(String name, Tensor tensor, String message) {
    Map<String, Tensor> tensors = TinyModels.LLAMA.tensors();
    tensors.put(name, tensor);
    refused(KancilException.class, message, TinyModels.LLAMA.metadata(), tensors);
  }

  @ParameterizedTest
  @EnumSource
  void aTinyModelBecomesAGraphOverAllItsWeights(TinyModels model) {
    LoadedModel.OfDecoder loaded = load(model.metadata(), model.tensors());
    assertThat(loaded.vocabulary()).isEqualTo(TinyModels.VOCABULARY);
    assertThat(loaded.contextLength()).isEqualTo(TinyModels.CONTEXT);
    assertThat(loaded.graph().weights()).hasSameSizeAs(model.tensors().keySet());
    assertThat(loaded.graph().state().groups()).hasSize(model == TinyModels.LLAMA ? 1 : 2);
  }

  @ParameterizedTest
  @EnumSource
  void everyMissingTensorIsNamed(TinyModels model) {
    for (String name : model.tensors().keySet()) {
      // Without an output matrix the embedding is the output, which is no error.
      if (!name.equals("output.weight")) {
        Map<String, Tensor> tensors = model.tensors();
        tensors.remove(name);
        refused(
            FormatException.class, "the tensor " + name + " is missing", model.metadata(), tensors);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyMisshapenTensorIsNamed(TinyModels model) {
    for (Map.Entry<String, Tensor> entry : model.tensors().entrySet()) {
      for (long[] shape : new long[][] {{1}, {7, 32}, {32, 7, 2}, {}}) {
        if (entry.getKey().equals("token_embd.weight") && shape.length == 2) {
          // A vocabulary of seven is small, not misshapen.
          continue;
        }
        Map<String, Tensor> tensors = model.tensors();
        tensors.put(entry.getKey(), zeros(DataType.F32, shape));
        assertThatThrownBy(() -> load(model.metadata(), tensors))
            .isInstanceOf(FormatException.class)
            .hasMessageContaining(Shape.of(shape).toString())
            .hasMessageContaining("the tensor ");
      }
    }
    refusedTensor(
        "blk.1.ffn_up.weight",
        zeros(DataType.F32, 32, 48),
        "the tensor blk.1.ffn_up.weight has shape [32, 48], not [48, 32]");
  }

  @Test
  void allThatIsWrongIsToldAtOnce() {
    Map<String, Tensor> tensors = TinyModels.LLAMA.tensors();
    tensors.remove("blk.0.attn_k.weight");
    tensors.put("blk.1.ffn_up.weight", zeros(DataType.F32, 3, 4));
    tensors.put("blk.1.ffn_down.weight", zeros(DataType.I32, 32, 48));
    tensors.put("extra.weight", zeros(DataType.F32, 1));
    assertThatThrownBy(() -> load(TinyModels.LLAMA.metadata(), tensors))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("the tensor blk.0.attn_k.weight is missing; ")
        .hasMessageContaining("the tensor blk.1.ffn_up.weight has shape [3, 4], not [48, 32]; ")
        .hasMessageContaining("the tensor blk.1.ffn_down.weight is of type I32, not of numbers; ")
        .hasMessageEndingWith("the tensor extra.weight has no place in architecture llama");
  }

  @Test
  void aTensorWithoutAPlaceIsNamed() {
    refusedTensor(
        "blk.0.attn_q_norm.weight",
        zeros(DataType.F32, 32),
        "the tensor blk.0.attn_q_norm.weight has no place in architecture llama");
    refusedTensor("blk.2.attn_norm.weight", zeros(DataType.F32, 32), "blk.2.attn_norm.weight");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwkv7", "LLAMA", "", "llama\n", "mamba"})
  void anUnknownArchitectureIsNamedWithThoseThatAreKnown(String architecture) {
    Map<String, GgufValue> metadata = TinyModels.LLAMA.metadata();
    metadata.put("general.architecture", new GgufValue.Text(architecture));
    assertThatThrownBy(() -> load(metadata, TinyModels.LLAMA.tensors()))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("is not supported; supported are ")
        .hasMessageContaining(", gemma, gemma2, gemma3,");
  }

  @Test
  void aFileWithoutArchitectureIsRefused() {
    Map<String, GgufValue> metadata = TinyModels.LLAMA.metadata();
    metadata.remove("general.architecture");
    refused(
        FormatException.class,
        "no metadata general.architecture",
        metadata,
        TinyModels.LLAMA.tensors());
  }

  @Test
  void everyMissingSettingIsNamed() {
    for (String key : TinyModels.LLAMA.metadata().keySet()) {
      // Without KV heads each head has its own, which the shapes of this model contradict.
      if (!key.equals("general.architecture") && !key.endsWith("head_count_kv")) {
        Map<String, GgufValue> metadata = TinyModels.LLAMA.metadata();
        metadata.remove(key);
        refused(FormatException.class, "no metadata " + key, metadata, TinyModels.LLAMA.tensors());
      }
    }
  }

  @Test
  void aVocabularyAloneIsCalledThat() {
    refused(
        FormatException.class,
        "token_embd.weight is missing; is this file a vocabulary alone?",
        TinyModels.LLAMA.metadata(),
        Map.of());
  }

  @Test
  void impossibleSettingsAreNamed() {
    for (long wrong : new long[] {0, -1, 1L << 40, Long.MIN_VALUE}) {
      for (String key :
          new String[] {
            "context_length", "embedding_length", "block_count", "attention.head_count"
          }) {
        refusedSetting("llama." + key, integer(wrong), "llama." + key + " is " + wrong);
      }
    }
    refusedSetting(
        "llama.block_count", integer(4096), "the tensor blk.2.attn_norm.weight is missing");
    refusedSetting(
        "llama.block_count", new GgufValue.Text("2"), "llama.block_count is of type string");
    refusedSetting("llama.attention.head_count", integer(5), "does not divide embedding_length");
    refusedSetting("llama.attention.head_count_kv", integer(3), "");
    refusedSetting(
        "llama.attention.layer_norm_rms_epsilon", new GgufValue.Float32(Float.NaN), "NaN");
    refusedSetting("llama.attention.layer_norm_rms_epsilon", new GgufValue.Float32(-1), "is -1.0");
    refusedSetting("llama.rope.dimension_count", integer(7), "rotary width 7");
    refusedSetting("llama.rope.dimension_count", integer(10), "is 10, not 1 to 8");
    refusedSetting("llama.rope.freq_base", new GgufValue.Float32(0), "rope.freq_base is 0.0");
    refusedSetting(
        "llama.rope.freq_base", new GgufValue.Float32(Float.POSITIVE_INFINITY), "is Infinity");
    refusedSetting(
        "llama.rope.scaling.type",
        new GgufValue.Text("spiral"),
        "llama.rope.scaling.type is spiral, which is not supported");
  }

  @Test
  void listsForLayersMustBeLongEnough() {
    Map<String, GgufValue> metadata = TinyModels.GEMMA3.metadata();
    String key = "gemma3.attention.sliding_window_pattern";
    metadata.put(key, new GgufValue.Ints("bool", new long[] {1, 0}));
    refused(
        FormatException.class,
        key + " has 2 entries for 3 layers",
        metadata,
        TinyModels.GEMMA3.tensors());
    metadata.put(key, new GgufValue.Ints("bool", new long[] {1, 0, 1}));
    assertThat(load(metadata, TinyModels.GEMMA3.tensors()).graph().state().groups()).hasSize(2);
  }

  @Test
  void aCacheTypeWhoseBlocksDoNotFitIsRefused() {
    Map<String, GgufValue> metadata = TinyModels.LLAMA.metadata();
    Path path = TinyModels.LLAMA.write(folder);
    try (GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.open(path))) {
      assertThat(metadata).isNotEmpty();
      assertThatThrownBy(() -> Families.load(checkpoint, DataType.Q8_0, DataType.Q8_0))
          .isInstanceOf(KancilException.class)
          .hasMessageContaining("16 elements are no whole number of Q8_0 blocks");
    }
  }
}
