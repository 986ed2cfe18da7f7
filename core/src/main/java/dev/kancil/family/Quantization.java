package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a folder of Hugging Face transformers says of packed weights: {@code quantization_config}.
 * Which weights are packed, and how, their tensors tell.
 *
 * @param groupSize columns that share a scale, where it is said; -1 for all
 * @param zerosAreOneLess whether GPTQ's zeros are stored minus one
 * @param rectangle rows and columns that share a factor, where eight-bit floats have such
 */
record Quantization(long groupSize, boolean zerosAreOneLess, List<Long> rectangle) {
  private static final List<Long> USUAL_RECTANGLE = List.of(128L, 128L);
  private static final String FLOATS = "float-quantized";
  private static final String CONFIG = "quantization_config.";
  private static final Set<String> METHODS =
      Set.of("gptq", "awq", "mxfp4", "fp8", "fbgemm_fp8", "compressed-tensors");

  /**
   * The settings of a checkpoint.
   *
   * @throws FormatException if a setting makes no sense
   * @throws UnsupportedException if weights are packed in a way that is unknown
   */
  static Quantization of(Checkpoint checkpoint) {
    if (checkpoint.layout() != Checkpoint.Layout.HUGGING_FACE) {
      return new Quantization(-1, false, USUAL_RECTANGLE);
    }
    String method = text(checkpoint, "quant_method", "gptq");
    if (!METHODS.contains(method)) {
      throw new UnsupportedException(
          checkpoint.name()
              + ": weights quantized by "
              + method
              + " are not supported; supported are those of "
              + String.join(", ", new TreeSet<>(METHODS)));
    }
    String format = text(checkpoint, "checkpoint_format", "gptq");
    String version = text(checkpoint, "version", "gemm");
    if (method.equals("gptq") && !Set.of("gptq", "gptq_v2").contains(format)) {
      throw unsupported(checkpoint, "checkpoint_format", format, "gptq and gptq_v2");
    }
    if (method.equals("awq") && !version.equals("gemm")) {
      throw unsupported(checkpoint, "version", version, "gemm");
    }
    String numbers = text(checkpoint, "format", FLOATS);
    if (method.equals("compressed-tensors") && !numbers.equals(FLOATS)) {
      throw unsupported(checkpoint, "format", numbers, FLOATS);
    }
    List<Long> rectangle = checkpoint.integers(CONFIG + "weight_block_size");
    if (rectangle.isEmpty()) {
      rectangle = USUAL_RECTANGLE;
    } else if (rectangle.size() != 2
        || rectangle.stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
      throw new FormatException(
          checkpoint.name() + ": " + CONFIG + "weight_block_size is " + rectangle);
    }
    return new Quantization(
        checkpoint.integer(CONFIG + "group_size").orElse(-1L),
        method.equals("gptq") && format.equals("gptq"),
        rectangle);
  }

  private static String text(Checkpoint checkpoint, String key, String otherwise) {
    return checkpoint.string(CONFIG + key).orElse(otherwise).toLowerCase(Locale.ROOT);
  }

  private static UnsupportedException unsupported(
      Checkpoint checkpoint, String key, String value, String known) {
    return new UnsupportedException(
        "%s: %s%s %s is not supported; supported are %s"
            .formatted(checkpoint.name(), CONFIG, key, value, known));
  }
}
