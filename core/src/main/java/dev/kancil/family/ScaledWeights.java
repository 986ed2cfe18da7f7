package dev.kancil.family;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Weights that lie as {@link ScaledFloats}: beside {@code x.weight}, {@code x.weight_scale} or
 * {@code x.weight_scale_inv} with one factor, one for each row, or one for each rectangle. They
 * become SCALED_F8, which takes a byte and an eighth for each; where rows or rectangles are no
 * whole blocks, or floats are E5M2, F16 if that holds them exactly, or else float32.
 */
final class ScaledWeights {
  private static final Logger LOG = LoggerFactory.getLogger(ScaledWeights.class);
  private static final List<String> FACTORS = List.of("_scale", "_scale_inv");

  private final Weights weights;
  private final List<Long> rectangle;
  private int floats;
  private int halves;

  ScaledWeights(Weights weights, Quantization quantization) {
    this.weights = weights;
    rectangle = quantization.rectangle();
  }

  /**
   * The matrix; null if its factors don't fit, which the weights then know.
   *
   * @param name of the tensor
   */
  @Nullable PlacedWeight place(String name, Tensor tensor, Shape shape) {
    ScaledFloats scaled = find(name, tensor, shape);
    if (scaled == null) {
      return null;
    }
    DataType type = scaled.type();
    switch (type) {
      case F16 -> halves++;
      case F32 -> floats++;
      default -> {}
    }
    return PlacedWeight.made(name, type, shape, null, target -> scaled.multiply(type, target));
  }

  /** Tells how much room weights take. */
  void report(String checkpoint) {
    if (halves > 0) {
      LOG.info("{}: {} weights of eight-bit floats become float16", checkpoint, halves);
    }
    if (floats > 0) {
      LOG.info(
          "{}: {} weights of eight-bit floats become float32: they are no blocks of E4M3, and their"
              + " factors are no powers of two",
          checkpoint,
          floats);
    }
  }

  private @Nullable ScaledFloats find(String name, Tensor tensor, Shape shape) {
    int out = Math.toIntExact(shape.rows());
    int in = Math.toIntExact(shape.columns());
    String factorsName =
        FACTORS.stream().map(name::concat).filter(weights::has).findFirst().orElse(null);
    Tensor factors = factorsName == null ? null : weights.tensor(factorsName);
    if (factors == null) {
      return new ScaledFloats(out, in, tensor, new float[] {1}, out, in);
    }
    Shape found = factors.shape();
    int rows = Math.toIntExact(rectangle.get(0));
    int columns = Math.toIntExact(rectangle.get(1));
    if (found.elements() == 1) {
      rows = out;
      columns = in;
    } else if (found.equals(Shape.of(out)) || found.equals(Shape.of(out, 1))) {
      rows = 1;
      columns = in;
    } else if (!found.equals(Shape.of(Math.ceilDiv(out, rows), Math.ceilDiv(in, columns)))) {
      weights.problem(
          "the tensor %s of shape %s is neither for %s, nor its rows, nor rectangles of %s"
              .formatted(factorsName, found, shape, rectangle));
      return null;
    }
    return switch (factors.type()) {
      case F32, F16, BF16 ->
          new ScaledFloats(out, in, tensor, Blocks.decode(factors), rows, columns);
      default -> {
        weights.problem("the tensor " + factorsName + " is of type " + factors.type());
        yield null;
      }
    };
  }
}
