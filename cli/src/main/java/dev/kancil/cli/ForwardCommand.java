package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.ModelFiles;
import dev.kancil.ModelOptions;
import dev.kancil.Placement;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.Engine;
import dev.kancil.engine.ModelInputs;
import dev.kancil.engine.ModelPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.safetensors.SafetensorsFile;
import dev.kancil.format.safetensors.SafetensorsWriter;
import dev.kancil.image.Picture;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "forward",
    description = "Runs one pass and writes what it computes to a safetensors file.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "The file holds what the model computes: logits at all positions, of encoders",
      "last_hidden_state, pooler_output and what their heads make of them, and what",
      "--capture names, as float32 arrays [texts, tokens, columns] or [texts, columns].",
      "--inputs takes arrays by the names of transformers: input_ids, attention_mask,",
      "token_type_ids, decoder_input_ids, pixel_values, noise, bool_masked_pos."
    })
final class ForwardCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @ArgGroup(multiplicity = "1")
  private Input input = new Input();

  @Option(
      names = "--decoder-tokens",
      split = ",",
      paramLabel = "ID",
      description = "Token ids for the decoder of a model that has an encoder, too.")
  private List<Integer> decoderTokens = List.of();

  @Option(
      names = "--capture",
      paramLabel = "PATTERN",
      description = "Values to write, too, such as hidden.layer.3 or 'hidden.*'. Can be repeated.")
  private List<String> captures = List.of();

  @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file.")
  private Path output = Path.of("");

  @Mixin private ImageSizeOption imageSize = new ImageSizeOption();

  @Option(
      names = "--picture",
      paramLabel = "FILE",
      description =
          "With --image and a masked autoencoder: a PNG of what it sees, what is left of that, and"
              + " what it makes of it.")
  private @Nullable Path picture;

  @Option(names = "--device", paramLabel = "ID", description = "As in `kancil run`.")
  private String device = Backends.AUTO;

  @Option(names = "--threads", paramLabel = "N", description = "As in `kancil run`.")
  private int threads;

  @Option(
      names = {"--gpu-layers", "-ngl"},
      paramLabel = "N",
      converter = DeviceSettings.GpuLayers.class,
      description = "As in `kancil run`, of models that have a decoder alone.")
  private Integer gpuLayers = ModelOptions.ALL_LAYERS;

  @Option(
      names = {"--cache-type-k", "--cache-type-v"},
      paramLabel = "TYPE",
      converter = DeviceSettings.CacheType.class,
      description = "How keys and values are cached. Default: f32.")
  private DataType cacheType = DataType.F32;

  @Mixin private LoraOption lora = new LoraOption();

  @Option(names = "--json", description = "Print what was written as JSON.")
  private boolean json;

  /** One of them. */
  static final class Input {
    @Option(names = "--tokens", split = ",", paramLabel = "ID", description = "Token ids.")
    private List<Integer> tokens = List.of();

    @Option(names = "--text", paramLabel = "TEXT", description = "A text, as `tokenize` reads it.")
    private String text = "";

    @Option(
        names = "--inputs",
        paramLabel = "FILE",
        description = "A safetensors file with what the model takes.")
    private @Nullable Path file;

    @Option(names = "--image", paramLabel = "FILE", description = "A picture, PNG or JPEG.")
    private @Nullable Path image;
  }

  ForwardCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    try (ModelFiles files = ModelFiles.open(model.path(console))) {
      Path image = input.image;
      if (image != null) {
        Picture seen = ImageFile.read(image);
        run(
            files,
            loaded -> ImageInputs.of(files, loaded, imageSize).inputs(seen),
            length -> length);
      } else if (input.file == null) {
        run(files, inputs(files));
      } else {
        try (SafetensorsFile arrays = SafetensorsFile.open(input.file)) {
          run(files, withDecoderTokens(new ModelInputs(arrays.tensors())));
        }
      }
    }
    return 0;
  }

  private ModelInputs inputs(ModelFiles files) {
    int[] ids =
        input.text.isEmpty()
            ? ints(input.tokens)
            : files.text().tokenizer().encode(input.text, true, true);
    if (ids.length == 0) {
      throw new InvalidRequestException("there are no tokens to compute");
    }
    return withDecoderTokens(ModelInputs.of(ids));
  }

  private ModelInputs withDecoderTokens(ModelInputs inputs) {
    return decoderTokens.isEmpty() ? inputs : inputs.withDecoderTokens(ints(decoderTokens));
  }

  private static int[] ints(List<Integer> ids) {
    return ids.stream().mapToInt(id -> id).toArray();
  }

  private void run(ModelFiles files, ModelInputs inputs) {
    run(files, _ -> inputs, inputs::longest);
  }

  private void run(
      ModelFiles files, Function<LoadedModel, ModelInputs> prepare, IntUnaryOperator context) {
    LoadedModel loaded =
        Families.open(
            files.checkpoint(),
            cacheType,
            cacheType,
            context,
            files.adapters(lora.adapters),
            List.of(),
            imageSize.size());
    if (picture != null
        && (input.image == null || !(loaded instanceof LoadedModel.OfMaskedAutoencoder))) {
      throw new InvalidRequestException("--picture takes --image and a masked autoencoder");
    }
    ModelInputs inputs = prepare.apply(loaded);
    DeviceOptions options = new DeviceOptions(threads).withProgress(new LoadBar(console));
    Backends.Choice<SequencedMap<String, FloatArray>> choice =
        Backends.choose(
            Placement.leavesDeviceOpen(device, gpuLayers),
            () -> Backends.open(gpuLayers == 0 ? Backends.CPU : device, options),
            options,
            opened -> compute(opened, loaded, inputs, options));
    Announcement.passedOver(console, choice.passedOver());
    SequencedMap<String, FloatArray> results = choice.made();
    SafetensorsWriter.write(output, results);
    if (picture != null && loaded instanceof LoadedModel.OfMaskedAutoencoder masked) {
      ImageFile.write(
          picture,
          ImageInputs.of(files, loaded, imageSize)
              .reconstruction(masked, inputs.floats(ModelInputs.PIXELS, 4), results));
    }
    report(inputs, results);
  }

  /** Computes on a device, or on that and the CPU; it is closed then. */
  private SequencedMap<String, FloatArray> compute(
      Device chosen, LoadedModel loaded, ModelInputs inputs, DeviceOptions options) {
    try (chosen;
        Device placed = placed(chosen, loaded, inputs, options);
        DeviceWeights weights = placed.weights(loaded.weights())) {
      return new ModelPass(placed, weights, captures).run(loaded, inputs);
    }
  }

  private Device placed(
      Device chosen, LoadedModel loaded, ModelInputs inputs, DeviceOptions options) {
    if (gpuLayers == ModelOptions.ALL_LAYERS || gpuLayers == 0) {
      return chosen;
    }
    if (!(loaded instanceof LoadedModel.OfDecoder decoder)) {
      throw new InvalidRequestException(
          "--gpu-layers divides models that have a decoder alone, and this one is none");
    }
    int tokens = inputs.longest(decoder.contextLength());
    Placement placement =
        Placement.of(
            chosen,
            decoder.graph(),
            gpuLayers,
            new Engine.Limits(Math.min(ModelPass.CHUNK, tokens), 1, tokens, tokens),
            () -> Backends.open(Backends.CPU, options));
    DeviceDescription other = placement.other();
    if (other != null) {
      console.message(
          "%d of %d layers on %s, the other %d on %s"
              .formatted(
                  placement.chosenLayers(),
                  placement.layers(),
                  chosen.description().id(),
                  placement.layers() - placement.chosenLayers(),
                  other.id()));
    }
    return placement.device();
  }

  private void report(ModelInputs inputs, SequencedMap<String, FloatArray> results) {
    if (json) {
      Map<String, @Nullable Object> written = Json.object("output", output.toString());
      if (inputs.has(ModelInputs.TOKENS)) {
        written.put("input_ids", inputs.integers(ModelInputs.TOKENS)[0]);
      }
      Map<String, List<Long>> shapes = new LinkedHashMap<>();
      results.forEach((name, array) -> shapes.put(name, array.shape().dimensions()));
      written.put("arrays", List.copyOf(results.keySet()));
      written.put("shapes", shapes);
      Json.print(console, written);
    } else {
      console.message(
          "%s: %s"
              .formatted(
                  output,
                  results.entrySet().stream()
                      .map(array -> array.getKey() + " " + array.getValue().shape())
                      .collect(Collectors.joining(", "))));
    }
  }
}
