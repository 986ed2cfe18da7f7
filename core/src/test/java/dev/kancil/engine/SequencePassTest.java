package dev.kancil.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.family.Encoder;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.family.Pooling;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.ReferenceModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SequencePassTest {
  private static final int[][] TEXTS = {{2, 20, 21, 22, 3}, {2, 40, 3}, {2, 50, 51, 3}};

  @TempDir private Path folder;
  private HuggingFaceCheckpoint checkpoint;
  private LoadedModel.OfEncoder model;
  private Device device;
  private DeviceWeights weights;

  @BeforeEach
  void open() {
    ReferenceModel.unpack("bert_rerank", folder);
    checkpoint = HuggingFaceCheckpoint.open(folder.resolve("bert_rerank"));
    model =
        (LoadedModel.OfEncoder)
            Families.open(checkpoint, DataType.F32, DataType.F32, length -> length);
    device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
    weights = device.weights(model.weights());
  }

  @AfterEach
  void close() {
    weights.close();
    device.close();
    checkpoint.close();
  }

  /** The rows of each text that are read. */
  private List<float[][]> rows(int[][] ranges) {
    try (SequenceState state = device.createState(model.rows().state(), TEXTS.length, 32);
        SequencePass pass = new SequencePass(device, model.rows(), weights, 16, state)) {
      List<SequencePass.Input> inputs = new ArrayList<>();
      for (int i = 0; i < TEXTS.length; i++) {
        TextRow text = TextRow.of(TEXTS[i]);
        int sequence = state.open();
        inputs.add(
            new SequencePass.Input(
                sequence,
                sequence,
                TEXTS[i],
                text.brought(model, model.padding(), model.tokenTypes()),
                ranges[i][0],
                ranges[i][1]));
      }
      List<float[][]> rows = new ArrayList<>();
      for (SequencedMap<String, float[][]> found : pass.run(inputs)) {
        rows.add(Objects.requireNonNull(found.get(Encoder.ROWS)));
      }
      return rows;
    }
  }

  @Test
  void onlyRowsThatAreAskedForAreRead() {
    List<float[][]> all = rows(new int[][] {{0, 5}, {0, 3}, {0, 4}});
    List<float[][]> some = rows(new int[][] {{1, 3}, {0, 0}, {3, 4}});
    assertThat(some.get(0)).isDeepEqualTo(Arrays.copyOfRange(all.get(0), 1, 3));
    assertThat(some.get(1)).isEmpty();
    assertThat(some.get(2)).isDeepEqualTo(Arrays.copyOfRange(all.get(2), 3, 4));
    List<float[][]> none = rows(new int[][] {{0, 0}, {0, 0}, {0, 0}});
    assertThat(none).allSatisfy(rows -> assertThat(rows).isEmpty());
  }

  @Test
  void whatStandsForTextsIsTheSameWithoutTheirRows() {
    List<TextRow> texts = Arrays.stream(TEXTS).map(TextRow::of).toList();
    for (Pooling pooling : Pooling.values()) {
      try (EncoderPass pass = new EncoderPass(device, model, pooling, weights, 16)) {
        List<EncoderPass.Result> whole = pass.run(texts);
        List<EncoderPass.Result> pooled = pass.runPooled(texts);
        for (int i = 0; i < TEXTS.length; i++) {
          assertThat(whole.get(i).rows()).containsKey(Encoder.ROWS);
          assertThat(pooled.get(i).rows()).isEmpty();
          assertThat(pooled.get(i).pooled()).containsExactly(whole.get(i).pooled());
          assertThat(pooled.get(i).outputs().get("logits"))
              .containsExactly(whole.get(i).outputs().get("logits"));
        }
      }
    }
  }
}
