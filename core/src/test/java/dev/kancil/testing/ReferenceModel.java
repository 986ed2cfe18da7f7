package dev.kancil.testing;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.engine.ModelInputs;
import dev.kancil.engine.ModelPass;
import dev.kancil.family.Families;
import dev.kancil.family.ImageSize;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Adapter;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.format.huggingface.PeftAdapter;
import dev.kancil.format.json.Json;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A small checkpoint with random weights, and what Hugging Face transformers computes from it: its
 * logits, hidden states and greedy continuations.
 */
public final class ReferenceModel {
  private static final double RELATIVE = 1e-4;
  private static final Set<String> KINDS =
      Set.of("causal_lm", "encoder", "seq2seq", "vit", "mae", "clip");
  private static final Set<String> NUMBERS = Set.of("start_logits", "end_logits");
  private static final Set<String> INPUTS =
      Set.of(
          "input_ids",
          "attention_mask",
          "token_type_ids",
          "decoder_input_ids",
          "pixel_values",
          "noise",
          "bool_masked_pos");

  private final Path folder;
  private final String config;
  private final Map<?, ?> golden;

  /**
   * @param config name of the configuration's file
   */
  public ReferenceModel(Path folder, String config) {
    this.folder = folder;
    this.config = config;
    try {
      String text = Files.readString(folder.resolve("golden.json"));
      golden = (Map<?, ?>) Objects.requireNonNull(Json.parse(text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Both spellings of a model of the project's own reference data, unpacked to a folder. */
  public static List<ReferenceModel> unpack(String name, Path folder) {
    Path target = folder.resolve(name);
    unpack(TestData.path("reference-models", name + ".zip"), target);
    return ofFolder(target);
  }

  /** Unpacks files of ours. */
  static void unpack(Path file, Path target) {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
        Path place = target.resolve(entry.getName());
        Files.createDirectories(place.getParent());
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, place);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All models of the project's own reference data, unpacked to a folder. */
  public static List<ReferenceModel> unpackAll(Path folder) {
    List<ReferenceModel> models = new ArrayList<>();
    String end = ".zip";
    for (String name : Objects.requireNonNull(TestData.path("reference-models").toFile().list())) {
      models.addAll(unpack(name.substring(0, name.length() - end.length()), folder));
    }
    return models;
  }

  /** Both spellings of a folder's model, if it is of a kind that can be run. */
  public static List<ReferenceModel> ofFolder(Path folder) {
    if (Files.exists(folder.resolve(PeftAdapter.CONFIG))) {
      return List.of(new ReferenceModel(folder, HuggingFaceCheckpoint.CONFIG));
    }
    return Stream.of("config.json", "config_v5.json")
        .filter(config -> Files.exists(folder.resolve(config)))
        .map(config -> new ReferenceModel(folder, config))
        .filter(model -> KINDS.contains(String.valueOf(model.golden.get("kind"))))
        .toList();
  }

  /** The folder of the checkpoint, which is another one where this has an adapter. */
  private Path base() {
    Path adapter = folder.resolve(PeftAdapter.CONFIG);
    if (!Files.exists(adapter)) {
      return folder;
    }
    try {
      Map<?, ?> read = (Map<?, ?>) Objects.requireNonNull(Json.parse(Files.readString(adapter)));
      return folder.resolve(String.valueOf(read.get("base_model_name_or_path"))).normalize();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private HuggingFaceCheckpoint checkpoint() {
    return HuggingFaceCheckpoint.open(base(), base().resolve(config));
  }

  private List<Adapter> adapters() {
    return base().equals(folder) ? List.of() : List.of(PeftAdapter.open(folder, 1));
  }

  @Override
  public String toString() {
    return folder.getFileName() + "/" + config;
  }

  /**
   * A text, and the likeliest tokens that follow.
   *
   * @param greedy empty of models that generate nothing
   */
  public record Prompt(int[] tokens, List<Integer> greedy) {}

  /** The texts. */
  public List<Prompt> prompts() {
    List<Prompt> prompts = new ArrayList<>();
    for (Map<?, ?> prompt : maps(get(golden, "prompts"))) {
      int[] greedy =
          prompt.containsKey("greedy_ids") ? ints(get(prompt, "greedy_ids")) : new int[0];
      prompts.add(
          new Prompt(ints(get(prompt, "input_ids")), Arrays.stream(greedy).boxed().toList()));
    }
    return prompts;
  }

  /**
   * Computes all that the reference has.
   *
   * @param chunk the most rows of one step
   * @return the largest error, as a share of what is allowed
   */
  public double worst(Device device, int chunk) {
    Safetensors arrays = Safetensors.read(folder.resolve("golden.safetensors"));
    if (!"causal_lm".equals(golden.get("kind"))) {
      return worstOfPasses(device, arrays);
    }
    double worst = 0;
    for (Map<?, ?> prompt : maps(get(golden, "prompts"))) {
      int[] tokens = ints(get(prompt, "input_ids"));
      int[] greedy = ints(get(prompt, "greedy_ids"));
      List<Adapter> adapters = adapters();
      try (HuggingFaceCheckpoint checkpoint = checkpoint()) {
        LoadedModel.OfDecoder model =
            (LoadedModel.OfDecoder)
                Families.open(
                    checkpoint,
                    DataType.F32,
                    DataType.F32,
                    _ -> tokens.length + greedy.length,
                    adapters);
        String id = String.valueOf(prompt.get("id"));
        worst = Math.max(worst, worst(device, model, id, tokens, chunk, arrays));
        requireGreedy(device, model, id, tokens, greedy);
      } finally {
        adapters.forEach(Adapter::close);
      }
    }
    return worst;
  }

  private double worst(
      Device device,
      LoadedModel.OfDecoder model,
      String id,
      int[] tokens,
      int chunk,
      Safetensors arrays) {
    List<String> names = new ArrayList<>(List.of("logits"));
    if (id.equals("p0")) {
      names.add("hidden.embeddings");
      for (int layer = 0; layer < model.graph().layers(); layer++) {
        names.add(Graph.layerOutput(layer));
      }
      // Some OPT models have no norm there.
      if (((Map<?, ?>) get(golden, "tensors")).containsKey("p0.hidden.final_norm")) {
        names.add("hidden.final_norm");
      }
    }
    Graph plain = model.graph();
    Graph graph = plain.withOutputs(names.stream().map(plain::value).toList());
    SequencedMap<String, float[][]> results;
    try (DeviceWeights weights = device.weights(model.weights())) {
      results = ForwardPass.run(device, graph, weights, tokens, chunk);
    }
    double worst = 0;
    for (String name : names) {
      FloatArray found = FloatArray.of(Objects.requireNonNull(results.get(name)));
      worst = Math.max(worst, worst(id + "." + name, arrays, found, _ -> true));
    }
    return worst;
  }

  /** The size of images, where the reference interpolates positions. */
  private Optional<ImageSize> images(Safetensors arrays) {
    if (!Boolean.TRUE.equals(golden.get("interpolate_pos_encoding"))) {
      return Optional.empty();
    }
    List<Long> shape = arrays.find("pixel_values").shape().dimensions();
    return Optional.of(new ImageSize(shape.get(2).intValue(), shape.get(3).intValue()));
  }

  /** Each batch of inputs in one pass, which returns all that the reference has of it. */
  private double worstOfPasses(Device device, Safetensors arrays) {
    double worst = 0;
    try (HuggingFaceCheckpoint checkpoint = checkpoint()) {
      LoadedModel model =
          Families.open(
              checkpoint,
              DataType.F32,
              DataType.F32,
              length -> length,
              List.of(),
              List.of(),
              images(arrays));
      boolean isOfTexts = arrays.names().contains("p0.input_ids");
      for (String batch : isOfTexts ? List.of("p0.", "p1.", "batch.") : List.of("")) {
        Map<String, Tensor> inputs = new HashMap<>();
        List<String> outputs = new ArrayList<>();
        for (String name : arrays.names()) {
          if (name.startsWith(batch)) {
            String plain = name.substring(batch.length());
            if (INPUTS.contains(plain)) {
              inputs.put(plain, arrays.find(name));
            } else {
              outputs.add(plain);
            }
          }
        }
        List<String> captures = outputs.stream().filter(name -> name.contains(".")).toList();
        SequencedMap<String, FloatArray> found;
        try (DeviceWeights weights = device.weights(model.weights())) {
          ModelPass pass = new ModelPass(device, weights, captures);
          found = pass.run(model, new ModelInputs(inputs));
          requireGreedy(pass, model, batch);
        }
        int[] mask =
            inputs.containsKey("attention_mask")
                ? arrays.ints(batch + "attention_mask")
                : new int[0];
        for (String name : outputs) {
          FloatArray array = found.get(name);
          if (array == null) {
            throw new AssertionError(
                this + " does not compute " + name + ", but " + found.keySet());
          }
          if (NUMBERS.contains(name)) {
            // A row is a number.
            array = new FloatArray(Shape.of(mask.length, 1), array.values());
          }
          boolean isMasked =
              !name.startsWith("vision.")
                  && (array.shape().rank() == 3 || NUMBERS.contains(name))
                  && array.shape().elements() / array.shape().columns() == mask.length;
          worst =
              Math.max(
                  worst, worst(batch + name, arrays, array, row -> !isMasked || mask[row] != 0));
        }
      }
    }
    return worst;
  }

  private void requireGreedy(ModelPass pass, LoadedModel model, String batch) {
    if (!(model instanceof LoadedModel.OfEncoderDecoder both)) {
      return;
    }
    for (Map<?, ?> prompt : maps(get(golden, "prompts"))) {
      if (!batch.equals(prompt.get("id") + ".")) {
        continue;
      }
      int[] greedy = ints(get(prompt, "greedy_ids"));
      int[] following = new int[greedy.length];
      following[0] = both.start();
      System.arraycopy(greedy, 0, following, 1, greedy.length - 1);
      ModelInputs inputs =
          ModelInputs.of(ints(get(prompt, "input_ids"))).withDecoderTokens(following);
      FloatArray logits = Objects.requireNonNull(pass.run(model, inputs).get("logits"));
      int columns = Math.toIntExact(logits.shape().columns());
      for (int i = 0; i < greedy.length; i++) {
        float[] row = Arrays.copyOfRange(logits.values(), i * columns, (i + 1) * columns);
        requireLikeliest(row, greedy[i], batch, i);
      }
    }
  }

  private double worst(
      String name, Safetensors arrays, FloatArray actual, IntPredicate isComparedRow) {
    float[] expected = arrays.numbers(name);
    if (expected.length != actual.values().length) {
      throw new AssertionError(this + ": " + name + " has shape " + actual.shape());
    }
    boolean isHidden = name.matches("(.*\\.)?(hidden|encoder|decoder)\\..*");
    String bound = isHidden ? "atol_hidden" : "atol";
    double allowed = ((Number) get((Map<?, ?>) get(golden, "tolerance"), bound)).doubleValue();
    int columns = Math.toIntExact(actual.shape().columns());
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      if (!isComparedRow.test(i / columns)) {
        continue;
      }
      float found = actual.values()[i];
      double share = Math.abs(found - expected[i]) / (allowed + RELATIVE * Math.abs(expected[i]));
      if (!(share <= 1)) {
        throw new AssertionError(
            this + ": " + name + "[" + i + "] is " + found + ", not " + expected[i]);
      }
      worst = Math.max(worst, share);
    }
    return worst;
  }

  private void requireGreedy(
      Device device, LoadedModel.OfDecoder model, String id, int[] prompt, int[] greedy) {
    int[] tokens = Arrays.copyOf(prompt, prompt.length + greedy.length);
    System.arraycopy(greedy, 0, tokens, prompt.length, greedy.length);
    try (DeviceWeights weights = device.weights(model.weights())) {
      float[][] logits =
          Objects.requireNonNull(
              ForwardPass.run(device, model.graph(), weights, tokens, 1).get("logits"));
      for (int i = 0; i < greedy.length; i++) {
        requireLikeliest(logits[prompt.length - 1 + i], greedy[i], id, i);
      }
    }
  }

  private void requireLikeliest(float[] row, int wanted, String id, int index) {
    int best = 0;
    for (int token = 1; token < row.length; token++) {
      best = row[token] > row[best] ? token : best;
    }
    if (best != wanted) {
      throw new AssertionError(
          this + ": " + id + " goes on with " + best + ", not " + wanted + ", at " + index);
    }
  }

  private static Object get(Map<?, ?> map, String key) {
    return Objects.requireNonNull(map.get(key), key);
  }

  private static List<Map<?, ?>> maps(Object list) {
    List<Map<?, ?>> maps = new ArrayList<>();
    for (Object element : (List<?>) list) {
      maps.add((Map<?, ?>) element);
    }
    return maps;
  }

  private static int[] ints(Object list) {
    return ((List<?>) list).stream().mapToInt(element -> ((Number) element).intValue()).toArray();
  }
}
