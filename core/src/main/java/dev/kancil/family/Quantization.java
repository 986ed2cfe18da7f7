package dev.kancil.family;

import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import java.util.Set;

/**
 * What a folder of Hugging Face transformers says of packed weights: {@code quantization_config}.
 * Which weights are packed, and how, their tensors tell.
 *
 * @param groupSize columns that share a scale, where it is said; -1 for all
 * @param zerosAreOneLess whether GPTQ's zeros are stored minus one
 */
record Quantization(long groupSize, boolean zerosAreOneLess) {
  private static final String CONFIG = "quantization_config.";
  private static final Set<String> METHODS = Set.of("gptq", "awq", "mxfp4");

  /**
   * The settings of a checkpoint.
   *
   * @throws UnsupportedException if weights are packed in a way that is unknown
   */
  static Quantization of(Checkpoint checkpoint) {
    if (checkpoint.layout() != Checkpoint.Layout.HUGGING_FACE) {
      return new Quantization(-1, false);
    }
    String method = text(checkpoint, "quant_method", "gptq");
    if (!METHODS.contains(method)) {
      throw new UnsupportedException(
          checkpoint.name()
              + ": weights quantized by "
              + method
              + " are not supported; supported are those of gptq, awq and mxfp4");
    }
    String format = text(checkpoint, "checkpoint_format", "gptq");
    String version = text(checkpoint, "version", "gemm");
    if (method.equals("gptq") && !Set.of("gptq", "gptq_v2").contains(format)) {
      throw unsupported(checkpoint, "checkpoint_format", format, "gptq and gptq_v2");
    }
    if (method.equals("awq") && !version.equals("gemm")) {
      throw unsupported(checkpoint, "version", version, "gemm");
    }
    return new Quantization(
        checkpoint.integer(CONFIG + "group_size").orElse(-1L),
        method.equals("gptq") && format.equals("gptq"));
  }

  private static String text(Checkpoint checkpoint, String key, String otherwise) {
    return checkpoint.string(CONFIG + key).orElse(otherwise).toLowerCase(java.util.Locale.ROOT);
  }

  private static UnsupportedException unsupported(
      Checkpoint checkpoint, String key, String value, String known) {
    return new UnsupportedException(
        "%s: %s%s %s is not supported; supported are %s"
            .formatted(checkpoint.name(), CONFIG, key, value, known));
  }
}
