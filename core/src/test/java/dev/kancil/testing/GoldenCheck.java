package dev.kancil.testing;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.synthetic.ModelShape;
import dev.kancil.format.synthetic.SyntheticModel;
import dev.kancil.format.synthetic.WeightMix;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Whole models on a device: tiny ones of each family and of each mix of types, whose logits must be
 * those of the reference device, and the real ones that are there, whose logits must be those of an
 * independent implementation. A program, too, for machines with a device and without the tests.
 */
public final class GoldenCheck {
  /** More than the window of {@link TinyModels#GEMMA3}. */
  private static final int TOKENS = 24;

  /** Steps of several rows, of which the last is shorter, and of one. */
  private static final int[] CHUNKS = {16, 1};

  /** What rounded activations may cost, as an F16 cache may. */
  private static final double MOST_KL = 1e-4;

  private static final String SKIPPED = "SKIPPED ";

  private final Device device;
  private final Consumer<String> lines;
  private int failures;

  private GoldenCheck(Device device, Consumer<String> lines) {
    this.device = device;
    this.lines = lines;
  }

  /** Checks the device that the argument names; ends with 1 if anything is wrong. */
  public static void main(String[] arguments) {
    int failures;
    try (Device device = Backends.open(arguments[0], DeviceOptions.DEFAULT)) {
      GoldenCheck check = new GoldenCheck(device, System.out::println);
      check.tiny();
      check.real();
      failures = check.failures;
    }
    System.exit(failures == 0 ? 0 : 1);
  }

  /**
   * Checks the tiny models alone.
   *
   * @param lines hears what became of each, beginning with {@code ok} or {@code FAILED}
   * @return how many failed
   */
  public static int tiny(Device device, Consumer<String> lines) {
    GoldenCheck check = new GoldenCheck(device, lines);
    check.tiny();
    return check.failures;
  }

  private void tiny() {
    Map<String, Supplier<GgufFile>> models = new LinkedHashMap<>();
    for (TinyModels model : TinyModels.values()) {
      models.put("tiny " + model, () -> written(model));
    }
    for (WeightMix mix : WeightMix.values()) {
      SyntheticModel model = new SyntheticModel(ModelShape.TINY, mix);
      models.put(model.name(), model::open);
    }
    models.forEach((name, model) -> check(name, () -> againstReference(model.get())));
  }

  private static GgufFile written(TinyModels model) {
    try {
      Path folder = Files.createTempDirectory("kancil");
      Path path = model.write(folder);
      try {
        return GgufFile.open(path);
      } finally {
        // What is mapped stays until it is closed.
        Files.delete(path);
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String againstReference(GgufFile opened) {
    double worst = 0;
    try (GgufFile file = opened;
        Device reference = Backends.open("reference", DeviceOptions.DEFAULT)) {
      LoadedModel.OfDecoder model =
          Families.load(new GgufCheckpoint(file), DataType.F32, DataType.F32);
      SplittableRandom random = new SplittableRandom(1);
      int[] tokens = new int[TOKENS];
      Arrays.setAll(tokens, _ -> random.nextInt(model.vocabulary()));
      float[][] expected = logits(reference, model, tokens, TOKENS);
      for (int chunk : CHUNKS) {
        float[][] actual = logits(device, model, tokens, chunk);
        double share = worst(expected, actual);
        if (share > 1 && chunk > 1 && rounds(device)) {
          share = meanKl(expected, actual) / MOST_KL;
        }
        worst = Math.max(worst, share);
      }
    }
    require(worst <= 1, "the error is %.2g times what is allowed".formatted(worst));
    return "error %.2g of what is allowed".formatted(worst);
  }

  /** Whether products of several rows are of rounded activations, as the device states. */
  private static boolean rounds(Device device) {
    return Arrays.stream(DataType.values())
        .anyMatch(type -> !device.activationRounding(type).equals(ActivationRounding.NONE));
  }

  /** The mean divergence of the distributions that two models' logits stand for. */
  private static double meanKl(float[][] expected, float[][] actual) {
    double sum = 0;
    for (int row = 0; row < expected.length; row++) {
      double[] right = logProbabilities(expected[row]);
      double[] found = logProbabilities(actual[row]);
      for (int i = 0; i < right.length; i++) {
        sum += Math.exp(right[i]) * (right[i] - found[i]);
      }
    }
    return Double.isNaN(sum) ? Double.POSITIVE_INFINITY : sum / expected.length;
  }

  private static double[] logProbabilities(float[] logits) {
    double most = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      most = Math.max(most, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - most);
    }
    double total = most + Math.log(sum);
    double[] result = new double[logits.length];
    Arrays.setAll(result, i -> logits[i] - total);
    return result;
  }

  private static float[][] logits(
      Device device, LoadedModel.OfDecoder model, int[] tokens, int chunk) {
    try (DeviceWeights weights = device.weights(model.weights())) {
      return Objects.requireNonNull(
          ForwardPass.run(device, model.graph(), weights, tokens, chunk).get("logits"));
    }
  }

  /** The largest difference as a share of what {@link RealModels} allows; infinite for NaN. */
  private static double worst(float[][] expected, float[][] actual) {
    double worst = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        double share =
            Math.abs(actual[row][i] - expected[row][i])
                / (1e-3 + 1e-4 * Math.abs(expected[row][i]));
        worst = Math.max(worst, Double.isNaN(share) ? Double.POSITIVE_INFINITY : share);
      }
    }
    return worst;
  }

  private void real() {
    for (RealModels model : RealModels.values()) {
      check(
          model + " in whole chunks",
          () -> {
            if (!model.isThere()) {
              return SKIPPED + "its file is not there";
            }
            RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F32, 64));
            require(
                rounds(device)
                    ? isClose(agreement)
                    : agreement.isExact() && agreement.topOne() == 1,
                agreement.toString());
            return agreement.toString();
          });
      check(
          model + " token by token, with an F16 cache",
          () -> {
            if (!model.isThere()) {
              return SKIPPED + "its file is not there";
            }
            RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F16, 1));
            require(isClose(agreement), agreement.toString());
            return agreement.toString();
          });
    }
  }

  private static boolean isClose(RealModels.Agreement agreement) {
    return agreement.meanKl() < MOST_KL
        && agreement.topOne() >= 0.96
        && Math.abs(agreement.perplexityRatio() - 1) <= 1e-3;
  }

  private void check(String name, Supplier<String> work) {
    try {
      String said = work.get();
      lines.accept(said.startsWith(SKIPPED) ? said + ": " + name : "ok " + name + ": " + said);
    } catch (RuntimeException e) {
      failures++;
      lines.accept("FAILED " + name + ": " + e.getMessage());
    }
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalStateException(message);
    }
  }
}
