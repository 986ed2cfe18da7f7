package dev.kancil.testing;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.format.json.Json;
import dev.kancil.graph.Graph;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A small checkpoint with random weights, and what Hugging Face transformers computes from it: its
 * logits, hidden states and greedy continuations.
 */
public final class ReferenceModel {
  private static final double RELATIVE = 1e-4;

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
    try (ZipFile zip = new ZipFile(TestData.path("reference-models", name + ".zip").toFile())) {
      Files.createDirectories(target);
      for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, target.resolve(entry.getName()));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ofFolder(target);
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

  /** Both spellings of a folder's model, if it is one that goes on with tokens. */
  public static List<ReferenceModel> ofFolder(Path folder) {
    return Stream.of("config.json", "config_v5.json")
        .filter(config -> Files.exists(folder.resolve(config)))
        .map(config -> new ReferenceModel(folder, config))
        .filter(model -> "causal_lm".equals(model.golden.get("kind")))
        .toList();
  }

  @Override
  public String toString() {
    return folder.getFileName() + "/" + config;
  }

  /**
   * Computes all that the reference has.
   *
   * @param chunk the most rows of one step
   * @return the largest error, as a share of what is allowed
   */
  public double worst(Device device, int chunk) {
    Safetensors arrays = Safetensors.read(folder.resolve("golden.safetensors"));
    double worst = 0;
    for (Map<?, ?> prompt : maps(get(golden, "prompts"))) {
      int[] tokens = ints(get(prompt, "input_ids"));
      int[] greedy = ints(get(prompt, "greedy_ids"));
      try (HuggingFaceCheckpoint checkpoint =
          HuggingFaceCheckpoint.open(folder, folder.resolve(config))) {
        Families.LoadedGraph model =
            Families.load(
                checkpoint, DataType.F32, DataType.F32, _ -> tokens.length + greedy.length);
        String id = String.valueOf(prompt.get("id"));
        worst = Math.max(worst, worst(device, model, id, tokens, chunk, arrays));
        requireGreedy(device, model, id, tokens, greedy);
      }
    }
    return worst;
  }

  private double worst(
      Device device,
      Families.LoadedGraph model,
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
      float[] expected = arrays.floats(id + "." + name);
      float[][] actual = Objects.requireNonNull(results.get(name));
      String bound = name.equals("logits") ? "atol" : "atol_hidden";
      double allowed = ((Number) get((Map<?, ?>) get(golden, "tolerance"), bound)).doubleValue();
      for (int i = 0; i < expected.length; i++) {
        float found = actual[i / actual[0].length][i % actual[0].length];
        double share = Math.abs(found - expected[i]) / (allowed + RELATIVE * Math.abs(expected[i]));
        if (!(share <= 1)) {
          throw new AssertionError(
              this + ": " + id + "." + name + "[" + i + "] is " + found + ", not " + expected[i]);
        }
        worst = Math.max(worst, share);
      }
    }
    return worst;
  }

  private void requireGreedy(
      Device device, Families.LoadedGraph model, String id, int[] prompt, int[] greedy) {
    int[] tokens = Arrays.copyOf(prompt, prompt.length + greedy.length);
    System.arraycopy(greedy, 0, tokens, prompt.length, greedy.length);
    try (DeviceWeights weights = device.weights(model.weights())) {
      float[][] logits =
          Objects.requireNonNull(
              ForwardPass.run(device, model.graph(), weights, tokens, 1).get("logits"));
      for (int i = 0; i < greedy.length; i++) {
        float[] row = logits[prompt.length - 1 + i];
        int best = 0;
        for (int token = 1; token < row.length; token++) {
          best = row[token] > row[best] ? token : best;
        }
        if (best != greedy[i]) {
          throw new AssertionError(
              this + ": " + id + " goes on with " + best + ", not " + greedy[i] + ", at " + i);
        }
      }
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
