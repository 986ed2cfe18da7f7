package dev.kancil.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.ReferenceModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that read a text with an encoder and go on about it with a decoder. */
@Timeout(120)
class ReadingEngineTest {
  @TempDir Path folder;

  private interface Body {
    void run(
        Engine engine, LoadedModel.OfEncoderDecoder model, List<ReferenceModel.Prompt> prompts);
  }

  private void with(String name, Body body) {
    ReferenceModel golden = ReferenceModel.unpack(name, folder).getFirst();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder.resolve(name));
        Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      LoadedModel.OfEncoderDecoder model =
          (LoadedModel.OfEncoderDecoder)
              Families.open(checkpoint, DataType.F32, DataType.F32, length -> length);
      try (DeviceWeights weights = device.weights(model.weights());
          Engine engine = new Engine(device, model, weights, new Engine.Limits(8, 4, 40, 160))) {
        body.run(engine, model, golden.prompts());
      }
    }
  }

  private static Collected start(Sequence sequence, int start, int count) {
    Collected heard = new Collected();
    sequence.run(new int[] {start}, Sampling.GREEDY, count, heard);
    return heard;
  }

  @ParameterizedTest
  @ValueSource(strings = {"t5", "bart"})
  void tokensAboutTextsThatAreReadSideBySideAreThoseOfTransformers(String name) {
    with(
        name,
        (engine, model, prompts) -> {
          List<Sequence> sequences = new ArrayList<>();
          List<Collected> heard = new ArrayList<>();
          for (ReferenceModel.Prompt prompt : prompts) {
            Sequence sequence = engine.open();
            sequence.read(prompt.tokens());
            sequences.add(sequence);
            heard.add(start(sequence, model.start(), prompt.greedy().size()));
          }
          for (int i = 0; i < prompts.size(); i++) {
            assertThat(heard.get(i).end()).isEqualTo(RunEnd.LENGTH);
            assertThat(heard.get(i).tokens()).isEqualTo(prompts.get(i).greedy());
          }
          // The other text, by a sequence that was about the first one.
          Sequence first = sequences.getFirst();
          first.read(prompts.getLast().tokens());
          Collected again = start(first, model.start(), 3);
          assertThat(again.end()).isEqualTo(RunEnd.LENGTH);
          assertThat(again.tokens()).isEqualTo(prompts.getLast().greedy().subList(0, 3));
          try (Sequence fork = first.fork()) {
            first.close();
            Collected further = new Collected();
            fork.run(new int[0], Sampling.GREEDY, 2, further);
            assertThat(further.end()).isEqualTo(RunEnd.LENGTH);
            assertThat(further.tokens()).isEqualTo(prompts.getLast().greedy().subList(3, 5));
          }
          sequences.getLast().close();
        });
  }

  @ParameterizedTest
  @ValueSource(strings = "t5")
  void tokensAboutNothingAndTextsThatDoNotFitAreRefused(String name) {
    with(
        name,
        (engine, model, _) -> {
          try (Sequence sequence = engine.open()) {
            assertThatThrownBy(() -> start(sequence, model.start(), 1))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("no text was read");
            assertThatThrownBy(() -> sequence.read(new int[41]))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("41 tokens, but the context holds 40");
            assertThatThrownBy(() -> sequence.read(new int[] {model.vocabulary()}))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("not in the vocabulary");
            assertThatThrownBy(() -> sequence.read(new int[0]))
                .isInstanceOf(InvalidRequestException.class);
          }
        });
  }
}
