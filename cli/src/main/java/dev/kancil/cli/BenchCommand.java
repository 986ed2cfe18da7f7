package dev.kancil.cli;

import dev.kancil.Completion;
import dev.kancil.Generation;
import dev.kancil.GenerationOptions;
import dev.kancil.InvalidRequestException;
import dev.kancil.Model;
import dev.kancil.ModelDescription;
import dev.kancil.Session;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "bench",
    description = "Measures prompt and generation speed.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Random tokens; the model's warm-up is not measured. Time to the first token counts as the",
      "prompt's, the rest as generation's. `weights` is what generation reads of them: their bytes for",
      "one token, times tokens, by time; sequences of one step share a reading. `of reading` is its share",
      "of what the device reads at most, measured on the spot where it can be. Clocks of NVIDIA devices,",
      "their power and temperature are as they were found during the repetitions; nothing sets them.",
      "",
      "MODEL can be synthetic:SHAPE:TYPE, such as synthetic:llama-8b:Q4_K_M: random weights of a known",
      "size, so that no file is needed. SHAPE is one of tiny, llama-1b, llama-3b, llama-8b, qwen-14b, qwen2-7b,",
      "qwen3-4b, qwen3-8b, gemma3-4b, and with experts tiny-moe, mixtral-8x7b, qwen3-30b-a3b; TYPE is F16, BF16, Q8_0, or Q4_0, Q4_1, Q5_0, Q5_1,",
      "IQ4_NL, IQ4_XS, MXFP4, Q2_K, Q3_K_M, Q4_K_S, Q4_K_M as llama.cpp mixes them, or FP8, as folders of",
      "transformers have it. Its layers share weights in the host's memory:",
      "a device that computes from there finds more in its caches than with a real model. `kancil synth`",
      "writes it as a file in which they don't."
    })
final class BenchCommand implements Callable<Integer> {
  private static final int WARM_UPS = 2;

  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Option(names = "-p", paramLabel = "N", defaultValue = "512", description = "Prompt tokens.")
  private int prompt = 512;

  @Option(names = "-n", paramLabel = "N", defaultValue = "128", description = "Generated tokens.")
  private int generated = 128;

  @Option(
      names = "-d",
      paramLabel = "N",
      defaultValue = "0",
      description = "Tokens that the context holds before.")
  private int depth;

  @Option(names = "-b", paramLabel = "N", defaultValue = "1", description = "Sequences at once.")
  private int batch = 1;

  @Option(names = "-r", paramLabel = "N", defaultValue = "5", description = "Repetitions.")
  private int repetitions = 5;

  @Mixin private DeviceSettings device = new DeviceSettings();
  @Mixin private BesideOption beside = new BesideOption();

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  BenchCommand(Console console) {
    this.console = console;
  }

  private record Repetition(double prefill, double decode) {}

  @Override
  public Integer call() {
    require(prompt >= 1 && generated >= 2 && depth >= 0 && batch >= 1 && repetitions >= 1);
    if (device.context == 0) {
      device.context = Math.addExact(depth, Math.addExact(prompt, generated));
    }
    List<Repetition> results = new ArrayList<>();
    ModelDescription description;
    DeviceWatch watch;
    try (Model opened =
        model.openAny(console, beside.with(device.options(console)).sessions(batch).build())) {
      description = opened.description();
      Announcement.print(console, description);
      List<Session> sessions = filled(opened);
      watch = DeviceWatch.of(description.device().id());
      try {
        for (int i = -WARM_UPS; i < repetitions; i++) {
          if (i == 0) {
            watch.start();
          }
          Repetition result = repeat(opened, sessions, new SplittableRandom(i));
          if (i >= 0) {
            results.add(result);
          }
        }
      } finally {
        watch.close();
        sessions.forEach(Session::close);
      }
    }
    report(description, results, readBytes(description), watch);
    return 0;
  }

  /**
   * What the device reads of its memory in a second, where it can tell; the model's is free by now.
   */
  private OptionalDouble readBytes(ModelDescription description) {
    if (description.otherDevice() != null) {
      // Two memories take turns.
      return OptionalDouble.empty();
    }
    try (Device opened =
        Backends.open(description.device().id(), new DeviceOptions(device.threads))) {
      return opened.readBytesPerSecond();
    }
  }

  private static void require(boolean holds) {
    if (!holds) {
      throw new InvalidRequestException("-p, -b and -r are 1 or more, -n 2 or more, -d 0 or more");
    }
  }

  /** Sessions that hold the tokens that are to be there before. */
  private List<Session> filled(Model opened) {
    SplittableRandom random = new SplittableRandom(depth);
    List<Session> sessions = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      Session session = beside.session(opened);
      sessions.add(session);
      if (depth > 0) {
        session.generate(tokens(opened, random, depth - 1), options(1)).await();
      }
    }
    return sessions;
  }

  /** Leaves the sessions as they were. */
  private Repetition repeat(Model opened, List<Session> sessions, SplittableRandom random) {
    int[] held = sessions.stream().mapToInt(session -> session.tokens().length).toArray();
    List<Generation> generations = new ArrayList<>();
    for (Session session : sessions) {
      generations.add(session.generate(tokens(opened, random, prompt), options(generated)));
    }
    double firstToken = 0;
    double total = 0;
    for (Generation generation : generations) {
      Completion.Timings timings = generation.await().timings();
      firstToken = Math.max(firstToken, timings.timeToFirstToken().toNanos() / 1e9);
      total = Math.max(total, timings.total().toNanos() / 1e9);
    }
    for (int i = 0; i < held.length; i++) {
      sessions.get(i).truncate(held[i]);
    }
    return new Repetition(
        batch * prompt / firstToken, batch * (generated - 1) / (total - firstToken));
  }

  private static int[] tokens(Model opened, SplittableRandom random, int count) {
    int[] tokens = new int[Math.max(count, 1)];
    Arrays.setAll(tokens, _ -> random.nextInt(opened.tokenizer().vocabularySize()));
    return tokens;
  }

  private static GenerationOptions options(int tokens) {
    return GenerationOptions.builder().greedy().maxTokens(tokens).stopAtEndOfTurn(false).build();
  }

  private void report(
      ModelDescription opened,
      List<Repetition> results,
      OptionalDouble readBytes,
      DeviceWatch watch) {
    double[] prefill = results.stream().mapToDouble(Repetition::prefill).sorted().toArray();
    double[] decode = results.stream().mapToDouble(Repetition::decode).sorted().toArray();
    if (json) {
      Json.print(
          console,
          Json.object(
              "model", opened.path().toString(),
              "device", opened.device().id(),
              "kernels", opened.device().kernels(),
              "layers", opened.layers(),
              "device_layers", opened.deviceLayers(),
              "threads", new DeviceOptions(device.threads).threadsOrCores(),
              "prompt_tokens", prompt,
              "generated_tokens", generated,
              "depth", depth,
              "batch", batch,
              "weight_bytes_per_token", opened.weightBytesPerToken(),
              "multiplications_per_token", opened.multiplicationsPerToken(),
              "prefill_tokens_per_second", median(prefill),
              "prefill_operations_per_second", operations(opened, median(prefill)),
              "decode_tokens_per_second", median(decode),
              "decode_weight_bytes_per_second", weightBytes(opened, median(decode)),
              "device_read_bytes_per_second",
                  readBytes.isPresent() ? readBytes.getAsDouble() : null,
              "device_state", watch.json(),
              "device_state_unknown_because", watch.unknownBecause(),
              "repetitions",
                  results.stream()
                      .map(
                          repetition ->
                              Json.object(
                                  "prefill_tokens_per_second", repetition.prefill(),
                                  "decode_tokens_per_second", repetition.decode()))
                      .toList()));
      return;
    }
    Table table = new Table("", "TOKENS", "MEDIAN", "LEAST", "MOST");
    row(table, "prefill", batch * prompt, prefill);
    table.row(
        "products",
        "",
        operations(operations(opened, median(prefill))),
        operations(operations(opened, prefill[0])),
        operations(operations(opened, prefill[prefill.length - 1])));
    row(table, "decode", batch * (generated - 1), decode);
    double[] bytes = Arrays.stream(decode).map(speed -> weightBytes(opened, speed)).toArray();
    table.row(
        "weights",
        "",
        bandwidth(median(bytes)),
        bandwidth(bytes[0]),
        bandwidth(bytes[bytes.length - 1]));
    readBytes.ifPresent(
        read ->
            table.row(
                "of reading",
                "",
                String.format(
                    Locale.ROOT, "%.0f %% of %s", 100 * median(bytes) / read, bandwidth(read)),
                "",
                ""));
    watch.addRows(table);
    table.print(console.out());
  }

  private static void row(Table table, String what, int tokens, double[] sorted) {
    table.row(
        what,
        String.valueOf(tokens),
        speed(median(sorted)),
        speed(sorted[0]),
        speed(sorted[sorted.length - 1]));
  }

  /** Bytes of weights that decoding reads in a second: all sequences of a step share them. */
  private double weightBytes(ModelDescription opened, double tokensPerSecond) {
    return opened.weightBytesPerToken() * tokensPerSecond / batch;
  }

  /** Multiplications and additions of a prompt's products with weights, in a second. */
  private static double operations(ModelDescription opened, double tokensPerSecond) {
    return 2.0 * opened.multiplicationsPerToken() * tokensPerSecond;
  }

  private static String operations(double perSecond) {
    return perSecond >= 1e12
        ? String.format(Locale.ROOT, "%.1f TFLOP/s", perSecond / 1e12)
        : String.format(Locale.ROOT, "%.1f GFLOP/s", perSecond / 1e9);
  }

  private static String bandwidth(double bytesPerSecond) {
    return String.format(Locale.ROOT, "%.1f GB/s", bytesPerSecond / 1e9);
  }

  private static String speed(double tokensPerSecond) {
    return String.format(Locale.ROOT, "%.1f tokens/s", tokensPerSecond);
  }

  private static double median(double[] sorted) {
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
