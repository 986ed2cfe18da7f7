package dev.kancil.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.Engine;
import dev.kancil.engine.ForwardPass;
import dev.kancil.engine.RunEnd;
import dev.kancil.engine.Sampling;
import dev.kancil.engine.Sequence;
import dev.kancil.engine.TokenListener;
import dev.kancil.engine.split.SplitDevice;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Adapter;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.format.huggingface.PeftAdapter;
import dev.kancil.format.json.Json;
import dev.kancil.format.safetensors.SafetensorsWriter;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Weight;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.FloatArray;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Adapters beside a small checkpoint, and what PEFT computes of some requests, of which each has
 * none or one of them.
 */
public final class ReferenceAdapters {
  private static final double RELATIVE = 1e-4;

  private final Path base;
  private final Path folder;
  private final List<String> names;
  private final double tolerance;
  private final List<Request> requests = new ArrayList<>();

  /**
   * A request.
   *
   * @param adapter its number; 0: none
   * @param logits of all rows of the prompt and of what follows
   */
  private record Request(int adapter, int[] prompt, int[] greedy, float[] logits) {
    int[] tokens() {
      int[] tokens = Arrays.copyOf(prompt, prompt.length + greedy.length);
      System.arraycopy(greedy, 0, tokens, prompt.length, greedy.length);
      return tokens;
    }
  }

  private ReferenceAdapters(Path base, Path folder, List<String> names, double tolerance) {
    this.base = base;
    this.folder = folder;
    this.names = names;
    this.tolerance = tolerance;
  }

  /** Unpacks a checkpoint of the project's own reference data, and its adapters. */
  public static ReferenceAdapters unpack(String name, Path folder) {
    ReferenceModel.unpack(name, folder);
    Path target = folder.resolve(name + ".adapters");
    ReferenceModel.unpack(TestData.path("reference-adapters", name + ".zip"), target);
    Map<?, ?> golden = golden(target);
    double tolerance = ((Number) Objects.requireNonNull(golden.get("tolerance"))).doubleValue();
    List<String> names = list(golden, "adapters").stream().map(String::valueOf).toList();
    ReferenceAdapters adapters =
        new ReferenceAdapters(folder.resolve(name), target, names, tolerance);
    Safetensors arrays = Safetensors.read(target.resolve("golden.safetensors"));
    for (Object each : list(golden, "requests")) {
      Map<?, ?> request = (Map<?, ?>) each;
      adapters.requests.add(
          new Request(
              names.indexOf(String.valueOf(request.get("adapter"))) + 1,
              ints(list(request, "prompt")),
              ints(list(request, "greedy")),
              arrays.floats(adapters.requests.size() + ".logits")));
    }
    return adapters;
  }

  private static Map<?, ?> golden(Path folder) {
    try {
      String text = Files.readString(folder.resolve("golden.json"));
      return (Map<?, ?>) Objects.requireNonNull(Json.parse(text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Unpacks a checkpoint and makes two adapters for matrices of its layers. What is to be computed
   * is what the reference computes where they are merged.
   *
   * @param matrices which modules have adapters
   */
  public static ReferenceAdapters merged(String name, Path folder, Pattern matrices) {
    ReferenceModel.unpack(name, folder);
    Path base = folder.resolve(name);
    Map<?, ?> allowed = (Map<?, ?>) Objects.requireNonNull(golden(base).get("tolerance"));
    double tolerance = ((Number) Objects.requireNonNull(allowed.get("atol"))).doubleValue();
    Path target = folder.resolve(name + ".adapters");
    ReferenceAdapters adapters =
        new ReferenceAdapters(base, target, List.of("one", "two"), tolerance);
    SplittableRandom random = new SplittableRandom(1);
    adapters.write("one", 3, matrices, random);
    adapters.write("two", 2, Pattern.compile(".*(o_proj|v_proj|down_proj)"), random);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      for (int adapter = 0; adapter <= 2; adapter++) {
        int[] prompt = random.ints(6 + 3 * adapter, 3, 250).toArray();
        adapters.requests.add(adapters.merged(device, adapter, prompt));
      }
    }
    return adapters;
  }

  private void write(String name, int rank, Pattern matrices, SplittableRandom random) {
    SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(base)) {
      for (Weight weight : load(checkpoint, List.of(), List.of()).graph().weights()) {
        String module = weight.name().replaceFirst("\\.q?weight$", "");
        if (weight.shape().rank() == 2 && matrices.matcher(module).matches()) {
          String of = "base_model.model." + module;
          arrays.put(of + ".lora_A.weight", random(random, rank, weight.shape().columns()));
          arrays.put(of + ".lora_B.weight", random(random, weight.shape().dimension(0), rank));
        }
      }
      assertThat(arrays).isNotEmpty();
      Path place = Files.createDirectories(folder.resolve(name));
      Files.writeString(
          place.resolve(PeftAdapter.CONFIG), "{\"peft_type\": \"LORA\", \"lora_alpha\": 1}");
      SafetensorsWriter.write(place.resolve("adapter_model.safetensors"), arrays);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static FloatArray random(SplittableRandom random, long rows, long columns) {
    FloatArray array = FloatArray.zeros(rows, columns);
    for (int i = 0; i < array.values().length; i++) {
      array.values()[i] = (float) random.nextGaussian(0, 0.3);
    }
    return array;
  }

  /** What a model with a merged adapter computes of a prompt, and of what follows. */
  private Request merged(Device device, int adapter, int[] prompt) {
    List<Adapter> adapters =
        adapter == 0
            ? List.of()
            : List.of(PeftAdapter.open(folder.resolve(names.get(adapter - 1)), 1));
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(base)) {
      LoadedModel.OfDecoder model = load(checkpoint, adapters, List.of());
      int[] tokens = prompt;
      try (DeviceWeights weights = device.weights(model.weights())) {
        while (true) {
          float[][] logits =
              Objects.requireNonNull(
                  ForwardPass.run(device, model.graph(), weights, tokens, 64).get("logits"));
          if (tokens.length == prompt.length + 6) {
            int[] following = Arrays.copyOfRange(tokens, prompt.length, tokens.length);
            return new Request(adapter, prompt, following, FloatArray.of(logits).values());
          }
          tokens = Arrays.copyOf(tokens, tokens.length + 1);
          tokens[tokens.length - 1] = likeliest(logits[logits.length - 1]);
        }
      }
    } finally {
      adapters.forEach(Adapter::close);
    }
  }

  private static int likeliest(float[] row) {
    int best = 0;
    for (int id = 1; id < row.length; id++) {
      best = row[id] > row[best] ? id : best;
    }
    return best;
  }

  private static LoadedModel.OfDecoder load(
      HuggingFaceCheckpoint checkpoint, List<Adapter> adapters, List<List<Adapter>> choices) {
    return (LoadedModel.OfDecoder)
        Families.open(
            checkpoint,
            DataType.F32,
            DataType.F32,
            length -> length,
            adapters,
            choices,
            Optional.empty());
  }

  /** What is computed with a loaded model. */
  @FunctionalInterface
  private interface Body {
    void run(LoadedModel.OfDecoder model);
  }

  private void with(Body body) {
    List<Adapter> adapters =
        names.stream().map(name -> PeftAdapter.open(folder.resolve(name), 1)).toList();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(base)) {
      body.run(load(checkpoint, List.of(), adapters.stream().map(List::of).toList()));
    } finally {
      adapters.forEach(Adapter::close);
    }
  }

  /**
   * Computes all requests in common steps, some rows of each at a time, and compares all logits.
   *
   * @param chunk the most rows of a request in a step
   */
  public void requireLogits(Device device, int chunk) {
    with(
        model -> {
          Graph graph = Fusion.fuse(model.choosing().orElseThrow(), device::takes);
          int most = chunk * requests.size();
          StepLimits limits = new StepLimits(most, requests.size(), most);
          try (DeviceWeights weights = device.weights(model.weights());
              Program program = device.compile(graph, weights, limits);
              SequenceState state =
                  device.createState(graph.state(), requests.size(), 100 * requests.size())) {
            requireLogits(program, state, new Batch(limits), chunk, model.vocabulary());
          }
        });
  }

  private void requireLogits(
      Program program, SequenceState state, Batch batch, int chunk, int vocabulary) {
    int[] sequences = requests.stream().mapToInt(_ -> state.open()).toArray();
    int[] done = new int[sequences.length];
    while (true) {
      batch.clear();
      int[] from = done.clone();
      for (int i = 0; i < sequences.length; i++) {
        int[] tokens = requests.get(i).tokens();
        // Ragged: each gets another number of rows.
        int rows = Math.min(tokens.length - done[i], Math.max(1, chunk - i));
        if (rows > 0) {
          batch.sequence(sequences[i], done[i]);
          batch.usesAdapter(requests.get(i).adapter);
          for (int j = 0; j < rows; j++) {
            batch.token(tokens[done[i]++], true);
          }
        }
      }
      if (batch.rows() == 0) {
        return;
      }
      try (Step step = program.enqueue(batch, state)) {
        MemorySegment logits = step.output("logits");
        int row = 0;
        for (int i = 0; i < sequences.length; i++) {
          for (int at = from[i]; at < done[i]; at++) {
            requireRow(requests.get(i), at, logits, row++, vocabulary);
          }
        }
      }
    }
  }

  private void requireRow(Request request, int at, MemorySegment logits, int row, int vocabulary) {
    for (int id = 0; id < vocabulary; id++) {
      float expected = request.logits[at * vocabulary + id];
      float found = logits.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * vocabulary + id);
      double allowed = tolerance + RELATIVE * Math.abs(expected);
      if (!(Math.abs(found - expected) <= allowed)) {
        throw new AssertionError(
            "%s, adapter %d, row %d: logit %d is %s, not %s"
                .formatted(base, request.adapter, at, id, found, expected));
      }
    }
  }

  /** Generates all side by side, and compares all tokens; forks go on as their originals. */
  public void requireGreedy(Device device) {
    with(model -> requireGreedy(device, model));
  }

  /**
   * The same on two devices that share the model.
   *
   * @param first runs one layer; closed here, as is {@code second}
   */
  public void requireGreedy(Device first, Device second) {
    with(
        model -> {
          try (Device device = new SplitDevice(first, second, model.choosing().orElseThrow(), 1)) {
            requireGreedy(device, model);
          }
        });
  }

  private void requireGreedy(Device device, LoadedModel.OfDecoder model) {
    int most = 2 * requests.size();
    Engine.Limits limits = new Engine.Limits(most, most, 60, 60 * most);
    try (DeviceWeights weights = device.weights(model.weights());
        Engine engine = new Engine(device, model, weights, limits)) {
      List<Heard> heard = new ArrayList<>();
      for (Request request : requests) {
        heard.add(new Heard(engine.open(request.adapter), request.prompt, request.greedy.length));
      }
      for (int i = 0; i < requests.size(); i++) {
        assertThat(heard.get(i).tokens()).containsExactly(requests.get(i).greedy);
      }
      forks(heard);
      heard.forEach(each -> each.sequence.close());
    }
  }

  /** Forks share pages with their originals, which are of the same adapter. */
  private void forks(List<Heard> heard) {
    List<Heard> forked = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      Sequence fork = heard.get(i).sequence.fork();
      assertThat(fork.adapter()).isEqualTo(request.adapter);
      fork.truncate(request.prompt.length);
      int[] next = {request.greedy[0]};
      forked.add(new Heard(fork, next, request.greedy.length - 1));
    }
    for (int i = 0; i < requests.size(); i++) {
      int[] greedy = requests.get(i).greedy;
      assertThat(forked.get(i).tokens())
          .containsExactly(Arrays.copyOfRange(greedy, 1, greedy.length));
      forked.get(i).sequence.close();
    }
  }

  /** What a sequence goes on with. */
  private static final class Heard implements TokenListener {
    private final Sequence sequence;
    private final List<Integer> tokens = new ArrayList<>();
    private final CompletableFuture<RunEnd> end = new CompletableFuture<>();

    Heard(Sequence sequence, int[] appended, int count) {
      this.sequence = sequence;
      sequence.run(appended, Sampling.GREEDY, count, this);
    }

    @Override
    public boolean token(int token) {
      tokens.add(token);
      return true;
    }

    @Override
    public void ended(RunEnd reason, @Nullable RuntimeException failure) {
      if (failure == null) {
        end.complete(reason);
      } else {
        end.completeExceptionally(failure);
      }
    }

    int[] tokens() {
      assertThat(end.orTimeout(60, TimeUnit.SECONDS).join()).isEqualTo(RunEnd.LENGTH);
      return tokens.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  private static List<?> list(Map<?, ?> map, String key) {
    return (List<?>) Objects.requireNonNull(map.get(key), key);
  }

  private static int[] ints(List<?> list) {
    return list.stream().mapToInt(element -> ((Number) element).intValue()).toArray();
  }
}
