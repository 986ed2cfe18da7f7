package dev.kancil.backend.cpu;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Prints how long steps take in a fresh JVM: the first prompt, the first tokens, and after warming
 * up. Run by hand: {@code StepTimes model.gguf [prompt [tokens [threads [repetitions]]]]}.
 */
final class StepTimes {
  private StepTimes() {}

  public static void main(String[] args) {
    long start = System.nanoTime();
    int prompt = args.length > 1 ? Integer.parseInt(args[1]) : 30;
    int tokens = args.length > 2 ? Integer.parseInt(args[2]) : 10;
    int threads = args.length > 3 ? Integer.parseInt(args[3]) : 0;
    int repetitions = args.length > 4 ? Integer.parseInt(args[4]) : 1;
    try (GgufFile file = GgufFile.open(Path.of(args[0]));
        GgufCheckpoint checkpoint = new GgufCheckpoint(file)) {
      LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F16, DataType.F16);
      try (Device device = new CpuBackend().open(0, new DeviceOptions(threads));
          DeviceWeights weights = device.weights(model.weights())) {
        Graph graph = Fusion.fuse(model.graph(), device::takes);
        StepLimits limits = new StepLimits(prompt, 1, 1);
        try (SequenceState state = device.createState(graph.state(), 1, prompt + tokens);
            Program program = device.compile(graph, weights, limits)) {
          System.out.printf(
              "%s%nopen %.3f s%n", device.description(), (System.nanoTime() - start) / 1e9);
          double[] prefill = new double[repetitions];
          double[] decode = new double[repetitions];
          for (int i = 0; i < repetitions; i++) {
            run(program, state, limits, prompt, tokens, prefill, decode, i);
          }
          Arrays.sort(prefill);
          Arrays.sort(decode);
          System.out.printf(
              "median prefill %.1f tok/s, decode %.1f tok/s%n",
              prefill[repetitions / 2], decode[repetitions / 2]);
        }
      }
    }
  }

  private static void run(
      Program program,
      SequenceState state,
      StepLimits limits,
      int prompt,
      int tokens,
      double[] prefill,
      double[] decode,
      int repetition) {
    Batch batch = new Batch(limits);
    int sequence = state.open();
    batch.sequence(sequence, 0);
    for (int i = 0; i < prompt; i++) {
      batch.token(100 + 7 * i, i == prompt - 1);
    }
    long before = System.nanoTime();
    long cpuBefore = cpuNanos();
    try (Step step = program.enqueue(batch, state)) {
      step.await();
    }
    long first = System.nanoTime();
    double cpuPrefill = (cpuNanos() - cpuBefore) / 1e9;
    cpuBefore = cpuNanos();
    prefill[repetition] = prompt / ((first - before) / 1e9);
    StringBuilder times = new StringBuilder();
    long all = System.nanoTime();
    for (int i = 0; i < tokens; i++) {
      batch.clear();
      batch.sequence(sequence, prompt + i);
      batch.token(500 + i, true);
      long from = System.nanoTime();
      try (Step step = program.enqueue(batch, state)) {
        step.await();
      }
      if (i < 10) {
        times.append(" %.1f".formatted((System.nanoTime() - from) / 1e6));
      }
    }
    double cpuDecode = (cpuNanos() - cpuBefore) / 1e9;
    decode[repetition] = tokens / ((System.nanoTime() - all) / 1e9);
    System.out.printf(
        "prompt %.3f s (%.1f tok/s), decode %.1f tok/s, for each second of processor time %.1f and"
            + " %.1f, ms:%s%n",
        (first - before) / 1e9,
        prefill[repetition],
        decode[repetition],
        prompt / cpuPrefill,
        tokens / cpuDecode,
        times);
    state.release(sequence);
  }

  /** Processor time of the whole process, which busy neighbours change little. */
  private static long cpuNanos() {
    return ProcessHandle.current()
        .info()
        .totalCpuDuration()
        .orElse(java.time.Duration.ZERO)
        .toNanos();
  }
}
