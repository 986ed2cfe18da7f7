package dev.kancil.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.engine.Engine;
import dev.kancil.engine.RunEnd;
import dev.kancil.engine.Sampling;
import dev.kancil.engine.Sequence;
import dev.kancil.engine.TokenListener;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Adapter;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.format.huggingface.PeftAdapter;
import dev.kancil.format.json.Json;
import dev.kancil.graph.Graph;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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

  private ReferenceAdapters(Path base, Path folder) throws IOException {
    this.base = base;
    this.folder = folder;
    Map<?, ?> golden =
        (Map<?, ?>)
            Objects.requireNonNull(Json.parse(Files.readString(folder.resolve("golden.json"))));
    names = list(golden, "adapters").stream().map(String::valueOf).toList();
    tolerance = ((Number) Objects.requireNonNull(golden.get("tolerance"))).doubleValue();
    Safetensors arrays = Safetensors.read(folder.resolve("golden.safetensors"));
    for (Object each : list(golden, "requests")) {
      Map<?, ?> request = (Map<?, ?>) each;
      int adapter = names.indexOf(String.valueOf(request.get("adapter"))) + 1;
      float[] logits = arrays.floats(requests.size() + ".logits");
      requests.add(
          new Request(
              adapter, ints(list(request, "prompt")), ints(list(request, "greedy")), logits));
    }
  }

  /** Unpacks a checkpoint of the project's own reference data, and its adapters. */
  public static ReferenceAdapters unpack(String name, Path folder) {
    ReferenceModel.unpack(name, folder);
    try {
      Path target = folder.resolve(name + ".adapters");
      ReferenceModel.unpack(TestData.path("reference-adapters", name + ".zip"), target);
      return new ReferenceAdapters(folder.resolve(name), target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is computed with a loaded model. */
  @FunctionalInterface
  private interface Body {
    void run(LoadedModel.OfDecoder model, DeviceWeights weights);
  }

  private void with(Device device, Body body) {
    List<Adapter> adapters =
        names.stream().map(name -> PeftAdapter.open(folder.resolve(name), 1)).toList();
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(base)) {
      LoadedModel.OfDecoder model =
          (LoadedModel.OfDecoder)
              Families.open(
                  checkpoint,
                  DataType.F32,
                  DataType.F32,
                  length -> length,
                  List.of(),
                  adapters.stream().map(List::of).toList());
      try (DeviceWeights weights = device.weights(model.weights())) {
        body.run(model, weights);
      }
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
        device,
        (model, weights) -> {
          Graph graph = Fusion.fuse(model.choosing().orElseThrow(), device::takes);
          int most = chunk * requests.size();
          StepLimits limits = new StepLimits(most, requests.size(), most);
          try (Program program = device.compile(graph, weights, limits);
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
    with(
        device,
        (model, weights) -> {
          int most = 2 * requests.size();
          try (Engine engine =
              new Engine(device, model, weights, new Engine.Limits(most, most, 60, 60 * most))) {
            List<Heard> heard = new ArrayList<>();
            for (Request request : requests) {
              Sequence sequence = engine.open(request.adapter);
              heard.add(new Heard(sequence, request.prompt, request.greedy.length));
            }
            for (int i = 0; i < requests.size(); i++) {
              assertThat(heard.get(i).tokens()).containsExactly(requests.get(i).greedy);
            }
            forks(heard);
            heard.forEach(each -> each.sequence.close());
          }
        });
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
