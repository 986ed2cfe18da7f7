package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.ModelInputs;
import dev.kancil.engine.ModelPass;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.testing.ReferenceModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Encoders as folders, and as GGUF files with the names that llama.cpp gives their tensors. */
class EncoderLayoutsTest {
  private static final List<Map.Entry<String, String>> BERT =
      List.of(
          Map.entry("bert\\.embeddings\\.word_embeddings", "token_embd"),
          Map.entry("bert\\.embeddings\\.position_embeddings", "position_embd"),
          Map.entry("bert\\.embeddings\\.token_type_embeddings", "token_types"),
          Map.entry("bert\\.embeddings\\.LayerNorm", "token_embd_norm"),
          Map.entry("bert\\.encoder\\.layer\\.", "blk."),
          Map.entry("attention\\.self\\.query", "attn_q"),
          Map.entry("attention\\.self\\.key", "attn_k"),
          Map.entry("attention\\.self\\.value", "attn_v"),
          Map.entry("attention\\.output\\.dense", "attn_output"),
          Map.entry("attention\\.output\\.LayerNorm", "attn_output_norm"),
          Map.entry("intermediate\\.dense", "ffn_up"),
          Map.entry("(\\d)\\.output\\.dense", "$1.ffn_down"),
          Map.entry("(\\d)\\.output\\.LayerNorm", "$1.layer_output_norm"),
          Map.entry("bert\\.pooler\\.dense", "cls"),
          Map.entry("classifier", "cls.output"));
  private static final List<Map.Entry<String, String>> T5 =
      List.of(
          Map.entry("shared", "token_embd"),
          Map.entry("encoder\\.final_layer_norm", "enc.output_norm"),
          Map.entry("decoder\\.final_layer_norm", "dec.output_norm"),
          Map.entry("encoder\\.block\\.", "enc.blk."),
          Map.entry("decoder\\.block\\.", "dec.blk."),
          Map.entry("layer\\.0\\.SelfAttention\\.relative_attention_bias", "attn_rel_b"),
          Map.entry("layer\\.0\\.SelfAttention\\.", "attn_"),
          Map.entry("layer\\.1\\.EncDecAttention\\.", "cross_attn_"),
          Map.entry("layer\\.0\\.layer_norm", "attn_norm"),
          Map.entry("(dec.*)layer\\.1\\.layer_norm", "$1cross_attn_norm"),
          Map.entry("layer\\.[12]\\.layer_norm", "ffn_norm"),
          Map.entry("layer\\.[12]\\.DenseReluDense\\.wi", "ffn_up"),
          Map.entry("layer\\.[12]\\.DenseReluDense\\.wo", "ffn_down"));

  @TempDir private Path folder;

  private static SequencedMap<String, FloatArray> pass(Checkpoint checkpoint, ModelInputs inputs) {
    LoadedModel model = Families.open(checkpoint, DataType.F32, DataType.F32, length -> length);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
        DeviceWeights weights = device.weights(model.weights())) {
      return new ModelPass(device, weights, List.of()).run(model, inputs);
    }
  }

  private static GgufValue whole(int value) {
    return new GgufValue.Int(GgufValue.IntType.UINT32, value);
  }

  private void requireTheSame(
      String name,
      String architecture,
      List<Map.Entry<String, String>> renamed,
      Map<String, GgufValue> settings,
      ModelInputs inputs) {
    ReferenceModel.unpack(name, folder);
    Path file = folder.resolve("model.gguf");
    SequencedMap<String, FloatArray> expected;
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder.resolve(name))) {
      expected = pass(checkpoint, inputs);
      GgufWriter writer = new GgufWriter();
      writer.put("general.architecture", new GgufValue.Text(architecture));
      settings.forEach((key, value) -> writer.put(architecture + "." + key, value));
      for (String tensor : checkpoint.tensorNames()) {
        String other = tensor;
        for (Map.Entry<String, String> change : renamed) {
          other = other.replaceAll(change.getKey(), change.getValue());
        }
        writer.tensor(other, checkpoint.tensor(tensor).orElseThrow());
      }
      writer.write(file);
    }
    try (Checkpoint checkpoint = new GgufCheckpoint(GgufFile.open(file))) {
      SequencedMap<String, FloatArray> found = pass(checkpoint, inputs);
      assertThat(found.keySet()).isEqualTo(expected.keySet());
      found.forEach(
          (output, array) ->
              assertThat(array.values())
                  .isEqualTo(Objects.requireNonNull(expected.get(output)).values()));
    }
  }

  @Test
  void bertIsTheSameInBothLayouts() {
    requireTheSame(
        "bert_rerank",
        "bert",
        BERT,
        Map.of(
            "block_count", whole(2),
            "context_length", whole(66),
            "embedding_length", whole(32),
            "feed_forward_length", whole(48),
            "attention.head_count", whole(2),
            "attention.layer_norm_epsilon", new GgufValue.Float32(1e-12f),
            "attention.causal", new GgufValue.Bool(false),
            "pooling_type", whole(4)),
        ModelInputs.of(new int[] {2, 30, 31, 3, 40, 3}));
  }

  @Test
  void t5IsTheSameInBothLayouts() {
    requireTheSame(
        "t5",
        "t5",
        T5,
        Map.ofEntries(
            Map.entry("block_count", whole(2)),
            Map.entry("decoder_block_count", whole(3)),
            Map.entry("context_length", whole(512)),
            Map.entry("embedding_length", whole(64)),
            Map.entry("feed_forward_length", whole(128)),
            Map.entry("attention.head_count", whole(4)),
            Map.entry("attention.key_length", whole(16)),
            Map.entry("attention.value_length", whole(16)),
            Map.entry("attention.layer_norm_epsilon", new GgufValue.Float32(1e-6f)),
            Map.entry("attention.layer_norm_rms_epsilon", new GgufValue.Float32(1e-6f)),
            Map.entry("attention.relative_buckets_count", whole(32)),
            Map.entry("decoder_start_token_id", whole(0))),
        ModelInputs.of(new int[] {33, 155, 220, 40, 1}).withDecoderTokens(new int[] {0, 80, 12}));
  }
}
