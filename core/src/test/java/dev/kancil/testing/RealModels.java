package dev.kancil.testing;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.tensor.DataType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/**
 * Two real models with the logits of an independent float32 implementation (testdata/real). The
 * models lie in the folder that the property {@code kancil.models} names; scripts/test fetches
 * them.
 */
public enum RealModels {
  SMOLLM2("smollm2", "smollm2-135m-instruct-q4_1"),
  GEMMA3("gemma3-270m", "gemma-3-270m-q4_k_m");

  private final String file;
  private final String golden;

  RealModels(String file, String golden) {
    this.file = file;
    this.golden = golden;
  }

  /** The model's file; skips the test, and says so, where it is not there. */
  public Path path() {
    if (!isThere()) {
      String message = "SKIPPED: no " + file + ".gguf; run scripts/test, which fetches it";
      System.err.println(message);
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message);
      }
      Assumptions.abort(message);
    }
    return candidate();
  }

  /** Whether the model's file is there. */
  public boolean isThere() {
    return !folder().isEmpty() && Files.isRegularFile(candidate());
  }

  private static String folder() {
    return System.getProperty("kancil.models", "");
  }

  private Path candidate() {
    return Path.of(folder(), file + ".gguf");
  }

  public Safetensors golden() {
    return Safetensors.read(TestData.path("real", golden + ".safetensors.gz"));
  }

  /** Logits at every position of the golden text. */
  public float[][] logits(Device device, DataType cacheType, int chunk) {
    try (GgufFile gguf = GgufFile.open(path());
        GgufCheckpoint checkpoint = new GgufCheckpoint(gguf)) {
      LoadedModel.OfDecoder model = Families.load(checkpoint, cacheType, cacheType);
      try (DeviceWeights weights = device.weights(model.weights())) {
        return Objects.requireNonNull(
            ForwardPass.run(device, model.graph(), weights, golden().ints("input_ids"), chunk)
                .get("logits"));
      }
    }
  }

  /** How logits compare with the golden ones. */
  public record Agreement(double worstError, double meanKl, double topOne, double perplexityRatio) {
    /** The largest |difference| as a share of what {@code 1e-3 + 1e-4·|logit|} allows. */
    public boolean isExact() {
      return worstError <= 1;
    }
  }

  public Agreement compare(float[][] logits) {
    Safetensors golden = golden();
    int[] ids = golden.ints("input_ids");
    int[] topIds = golden.ints("top64_ids");
    float[] topLogits = golden.floats("top64_logits");
    float[] logSumExp = golden.floats("logsumexp");
    float[] nll = golden.floats("nll");
    float[] last = golden.floats("last_logits");
    int n = ids.length;
    double worst = 0;
    double kl = 0;
    int agreed = 0;
    double ownNll = 0;
    double goldenNll = 0;
    for (int row = 0; row < n; row++) {
      double ownSum = logSumExp(logits[row]);
      // Exact over the 64 likeliest; what remains is one more outcome, which bounds KL from below.
      double goldenRest = 1;
      double ownRest = 1;
      for (int i = 0; i < 64; i++) {
        int id = topIds[row * 64 + i];
        double expected = topLogits[row * 64 + i];
        worst =
            Math.max(
                worst, Math.abs(logits[row][id] - expected) / (1e-3 + 1e-4 * Math.abs(expected)));
        double p = Math.exp(expected - logSumExp[row]);
        kl += p * (expected - logSumExp[row] - (logits[row][id] - ownSum));
        goldenRest -= p;
        ownRest -= Math.exp(logits[row][id] - ownSum);
      }
      if (goldenRest > 1e-9 && ownRest > 1e-9) {
        kl += goldenRest * Math.log(goldenRest / ownRest);
      }
      agreed += argmax(logits[row]) == topIds[row * 64] ? 1 : 0;
      if (row + 1 < n) {
        ownNll += ownSum - logits[row][ids[row + 1]];
        goldenNll += nll[row];
      }
    }
    for (int i = 0; i < last.length; i++) {
      worst =
          Math.max(worst, Math.abs(logits[n - 1][i] - last[i]) / (1e-3 + 1e-4 * Math.abs(last[i])));
    }
    return new Agreement(
        worst,
        kl / n,
        (double) agreed / n,
        Math.exp(ownNll / (n - 1)) / Math.exp(goldenNll / (n - 1)));
  }

  private static double logSumExp(float[] row) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : row) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : row) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  private static int argmax(float[] row) {
    int best = 0;
    for (int i = 1; i < row.length; i++) {
      if (row[i] > row[best]) {
        best = i;
      }
    }
    return best;
  }
}
