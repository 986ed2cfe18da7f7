package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.ModelFiles;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ModelInputs;
import dev.kancil.engine.ModelPass;
import dev.kancil.family.Families;
import dev.kancil.family.ImageGrid;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.TextFile;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.image.Picture;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "classify",
    description = "Says what a picture shows.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "With a ViT that has a classifier, labels are those of its config.json. With CLIP, they are",
      "the texts of --labels, as they are: 'a photo of a cat' may do better than 'cat'."
    })
final class ClassifyCommand implements Callable<Integer> {
  private static final long MOST_BYTES = 10_000_000;

  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Parameters(index = "1", paramLabel = "IMAGE", description = "A picture, PNG or JPEG.")
  private Path image = Path.of("");

  @Option(
      names = "--labels",
      split = ",",
      paramLabel = "TEXT",
      description = "Texts to choose from, for models of texts and images.")
  private List<String> labels = List.of();

  @Mixin private ImageSizeOption imageSize = new ImageSizeOption();

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "5",
      description = "How many labels to show, the likeliest ones. Default: 5.")
  private int most = 5;

  @Option(names = "--device", paramLabel = "ID", description = "As in `kancil run`.")
  private String device = Backends.AUTO;

  @Option(names = "--threads", paramLabel = "N", description = "As in `kancil run`.")
  private int threads;

  @Mixin private LoraOption lora = new LoraOption();

  @Option(names = "--json", description = "Print labels and probabilities as JSON.")
  private boolean json;

  ClassifyCommand(Console console) {
    this.console = console;
  }

  /** What a picture may show. */
  private record Guess(int index, String label, double probability) {}

  @Override
  public Integer call() {
    if (most < 1) {
      throw new InvalidRequestException("--top-k is " + most + ", not a number from 1 on");
    }
    Picture picture = ImageFile.read(image);
    try (ModelFiles files = ModelFiles.open(model.path(console))) {
      List<Guess> guesses = guesses(files, picture);
      print(guesses.subList(0, Math.min(most, guesses.size())));
    }
    return 0;
  }

  private List<Guess> guesses(ModelFiles files, Picture picture) {
    LoadedModel loaded =
        Families.open(
            files.checkpoint(),
            DataType.F32,
            DataType.F32,
            length -> length,
            files.adapters(lora.adapters),
            List.of(),
            imageSize.size());
    ImageInputs images = ImageInputs.of(files, loaded, imageSize);
    boolean isOfTexts = loaded instanceof LoadedModel.OfContrastive;
    if (isOfTexts == labels.isEmpty()) {
      throw new InvalidRequestException(
          isOfTexts
              ? "--labels is needed: the model knows texts, not labels"
              : "the model has labels of its own; --labels is for models of texts and images");
    }
    ModelInputs inputs = isOfTexts ? withLabels(files, images, picture) : images.inputs(picture);
    DeviceOptions options = new DeviceOptions(threads).withProgress(new LoadBar(console));
    Backends.Choice<Map<String, FloatArray>> choice =
        Backends.choose(
            device.equals(Backends.AUTO),
            () -> Backends.open(device, options),
            options,
            opened -> compute(opened, loaded, inputs));
    Announcement.passedOver(console, choice.passedOver());
    FloatArray logits = choice.made().get(isOfTexts ? "logits_per_image" : "logits");
    if (logits == null || loaded instanceof LoadedModel.OfMaskedAutoencoder) {
      throw new InvalidRequestException(
          files.path() + ": the model has no classifier; `kancil forward` shows what it has");
    }
    return guesses(logits.values(), isOfTexts ? labels : labels(files, logits.values().length));
  }

  /** Computes on a device, which is closed then. */
  private static Map<String, FloatArray> compute(
      Device opened, LoadedModel loaded, ModelInputs inputs) {
    try (opened;
        DeviceWeights weights = opened.weights(loaded.weights())) {
      return new ModelPass(opened, weights, List.of()).run(loaded, inputs);
    }
  }

  private ModelInputs withLabels(ModelFiles files, ImageInputs images, Picture picture) {
    Tokenizer tokenizer = files.text().tokenizer();
    List<int[]> texts =
        labels.stream().map(label -> tokenizer.encode(label.strip(), true, true)).toList();
    ImageGrid grid = images.grid();
    return ModelInputs.ofTexts(texts).withImage(images.processor().pixels(picture, grid), grid);
  }

  /** What {@code config.json} calls classes. */
  private static List<String> labels(ModelFiles files, int count) {
    Path config = files.path().resolve(HuggingFaceCheckpoint.CONFIG);
    Object names =
        Json.parseObject(config.toString(), TextFile.read(config, MOST_BYTES)).get("id2label");
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      @Nullable Object name = names instanceof Map<?, ?> map ? map.get(String.valueOf(i)) : null;
      labels.add(name instanceof String text ? text : "LABEL_" + i);
    }
    return labels;
  }

  /** The likeliest first. */
  private static List<Guess> guesses(float[] logits, List<String> labels) {
    double largest = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElse(0);
    double[] weights =
        IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i] - largest)).toArray();
    double sum = IntStream.range(0, weights.length).mapToDouble(i -> weights[i]).sum();
    return IntStream.range(0, logits.length)
        .mapToObj(i -> new Guess(i, labels.get(i).strip(), weights[i] / sum))
        .sorted(Comparator.comparingDouble(Guess::probability).reversed())
        .toList();
  }

  private void print(List<Guess> guesses) {
    if (json) {
      Json.print(
          console,
          Json.object(
              "labels",
              guesses.stream()
                  .map(
                      guess ->
                          Json.object(
                              "index", guess.index,
                              "label", guess.label,
                              "probability", guess.probability))
                  .toList()));
      return;
    }
    Table table = new Table("PROBABILITY", "LABEL");
    for (Guess guess : guesses) {
      table.row(String.format(Locale.ROOT, "%.4f", guess.probability), guess.label);
    }
    table.print(console.out());
  }
}
