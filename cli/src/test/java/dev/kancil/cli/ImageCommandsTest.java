package dev.kancil.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.image.Picture;
import dev.kancil.tensor.Shape;
import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What the command line does with pictures. */
class ImageCommandsTest {
  @TempDir private Path folder;
  private Path image = Path.of("");

  @BeforeEach
  void writePicture() {
    image = picture(folder);
  }

  static Path picture(Path folder) {
    Path image = folder.resolve("picture.png");
    byte[] samples = new byte[3 * 50 * 40];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (byte) (i / 3 % 50 * 5 + i / 150 * i % 3);
    }
    ImageFile.write(image, new Picture(50, 40, samples));
    return image;
  }

  private String model(String name) {
    ReferenceModel.unpack(name, folder);
    return folder.resolve(name).toString();
  }

  @Test
  void classifyGivesTheProbabilitiesOfForwardsLogits() {
    String model = model("vit");
    Path output = folder.resolve("out.safetensors");
    CommandRun.of("forward", model, "--image", image.toString(), "--output", output.toString())
        .succeeds();
    float[] logits = Safetensors.read(output).floats("logits");
    double sum = 0;
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      sum += Math.exp(logits[i]);
      best = logits[i] > logits[best] ? i : best;
    }
    JsonNode labels =
        CommandRun.of("classify", model, image.toString(), "--json", "--top-k", "3")
            .json()
            .get("labels");
    assertThat(labels.size()).isEqualTo(3);
    assertThat(labels.get(0).get("label").asString()).isEqualTo("LABEL_" + best);
    assertThat(labels.get(0).get("index").asInt()).isEqualTo(best);
    assertThat(labels.get(0).get("probability").asDouble())
        .isCloseTo(Math.exp(logits[best]) / sum, within(1e-6));
    assertThat(CommandRun.of("classify", model, image.toString()).succeeds().out().lines())
        .hasSize(6)
        .first()
        .isEqualTo("PROBABILITY  LABEL");
  }

  @Test
  void imagesMayBeOfAnotherSize() {
    String model = model("vit");
    Path output = folder.resolve("out.safetensors");
    CommandRun.of(
            "forward",
            model,
            "--image",
            image.toString(),
            "--image-size",
            "48x64",
            "--output",
            output.toString())
        .succeeds();
    // Patches of 8 by 8, and the row that stands for the image.
    assertThat(Safetensors.read(output).find("last_hidden_state").shape())
        .isEqualTo(Shape.of(1, 6 * 8 + 1, 32));
    CommandRun.of("classify", model, image.toString(), "--image-size", "40").succeeds();
    CommandRun.of("classify", model, image.toString(), "--image-size", "4")
        .failsWith("images 4 high and 4 wide for patches of 8 and 8");
    CommandRun.of("classify", model("vit_mae"), image.toString(), "--image-size", "40")
        .failsWith("vit_mae see no images of other sizes");
  }

  @Test
  void textsAreLabelsOfAModelThatComparesThem() throws IOException {
    String model = model("clip");
    CommandRun.of("classify", model, image.toString()).failsWith("--labels is needed");
    CommandRun.of("classify", model, image.toString(), "--labels", "a,b").failsWith("tokenizer");
    StringBuilder vocabulary = new StringBuilder();
    for (char letter = 'a'; letter <= 'z'; letter++) {
      vocabulary.append("\"%c\":%d,".formatted(letter, letter - 'a'));
    }
    Files.writeString(
        Path.of(model, "tokenizer.json"),
        """
        {"model": {"type": "BPE", "vocab": {%s "<s>": 97, "</s>": 98}, "merges": []},
         "added_tokens": [
           {"id": 97, "content": "<s>", "special": true},
           {"id": 98, "content": "</s>", "special": true}],
         "post_processor": {"type": "TemplateProcessing",
           "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
             {"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "</s>", "type_id": 0}}],
           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
           "special_tokens": {
             "<s>": {"id": "<s>", "ids": [97], "tokens": ["<s>"]},
             "</s>": {"id": "</s>", "ids": [98], "tokens": ["</s>"]}}}}"""
            .formatted(vocabulary));
    JsonNode labels =
        CommandRun.of("classify", model, image.toString(), "--labels", "cat, dog,bird", "--json")
            .json()
            .get("labels");
    double sum = 0;
    for (JsonNode label : labels) {
      assertThat(label.get("label").asString()).isIn("cat", "dog", "bird");
      sum += label.get("probability").asDouble();
    }
    assertThat(labels.size()).isEqualTo(3);
    assertThat(sum).isCloseTo(1, within(1e-9));
    assertThat(labels.get(0).get("probability").asDouble())
        .isGreaterThan(labels.get(1).get("probability").asDouble());
  }

  @Test
  void aMaskedAutoencoderDrawsWhatItMakesOfAPicture() {
    Path output = folder.resolve("out.safetensors");
    Path drawn = folder.resolve("drawn.png");
    CommandRun.of(
            "forward",
            model("vit_mae"),
            "--image",
            image.toString(),
            "--output",
            output.toString(),
            "--picture",
            drawn.toString())
        .succeeds();
    float[] mask = Safetensors.read(output).floats("mask");
    Picture picture = ImageFile.read(drawn);
    assertThat(picture.width()).isEqualTo(3 * 32);
    assertThat(picture.height()).isEqualTo(32);
    // ImageNet's mean, where nothing is seen.
    int[] gray = {124, 116, 104};
    for (int patch = 0; patch < mask.length; patch++) {
      int x = patch % 4 * 8 + 3;
      int y = patch / 4 * 8 + 3;
      for (int channel = 0; channel < 3; channel++) {
        int seen = picture.sample(x, y, channel);
        assertThat(picture.sample(32 + x, y, channel))
            .isEqualTo(mask[patch] == 0 ? seen : gray[channel]);
        if (mask[patch] == 0) {
          assertThat(picture.sample(64 + x, y, channel)).isEqualTo(seen);
        }
      }
    }
  }

  @Test
  void pictureFilesThatAreNoneAreOneLine() throws IOException {
    String model = model("vit");
    Path bad = folder.resolve("bad.png");
    CommandRun.of("classify", model, bad.toString()).failsWith("there is no such file");
    Files.writeString(bad, "no picture");
    CommandRun.of("classify", model, bad.toString()).failsWith("no picture that can be read");
    byte[] whole = Files.readAllBytes(image);
    Files.write(bad, Arrays.copyOf(whole, whole.length / 2));
    CommandRun.of("classify", model, bad.toString()).failsWith(bad.toString());
    // The header's width and height.
    byte[] huge = whole.clone();
    for (int at : new int[] {17, 18, 21, 22}) {
      huge[at] = 1;
    }
    Files.write(bad, huge);
    CommandRun.of("classify", model, bad.toString()).failsWith(bad.toString());
  }

  @Test
  void modelsThatSeeNothingSaySo() {
    String model = model("llama");
    String output = folder.resolve("out.safetensors").toString();
    CommandRun.of("forward", model, "--image", image.toString(), "--output", output)
        .failsWith("no model that sees images");
    CommandRun.of("classify", model, image.toString()).failsWith("no model that sees images");
    CommandRun.of("classify", model("vit_mae"), image.toString()).failsWith("no classifier");
  }
}
