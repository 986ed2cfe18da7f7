package dev.kancil.conformance;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The error that a device's stated rounding of activations explains. Rounding x to multiples of d
 * is an error of variance d²/12 in each column, independent of the rest, so a product's error has
 * the variance Σ w² d²/12. The sum of squares of such errors with variances v stays below {@code Σv
 * + 2√(t·Σv²) + 2t·max v} but for one time in eᵗ (Laurent and Massart 2000, lemma 1).
 */
final class RoundingError {
  // Fewer than one in a million.
  private static final double T = 14;

  private final Map<String, Tensor> tensors;
  private final Device device;
  private final Map<Value, Node> producers = new HashMap<>();

  private RoundingError(Scene scene, Graph graph, Device device) {
    this.tensors = scene.tensors();
    this.device = device;
    for (Node node : graph.nodes()) {
      node.outputs().forEach(output -> producers.put(output, node));
    }
  }

  /** What is added to the limit of a case: the largest of what its outputs may be off. */
  static double of(Scene scene, Case tested, Device device, Map<String, List<float[]>> expected) {
    if (tested.types().stream()
        .map(device::activationRounding)
        .allMatch(ActivationRounding.NONE::equals)) {
      return 0;
    }
    Graph graph = scene.graph();
    RoundingError rounding = new RoundingError(scene, graph, device);
    double worst = 0;
    for (Value output : graph.outputs()) {
      // The error of one row of each token; rows of a scene repeat its tokens.
      double[] variance = rounding.variance(output);
      if (variance.length > 0) {
        double squares = 0;
        long elements = 0;
        for (float[] step : expected.getOrDefault(output.name(), List.of())) {
          elements += step.length;
          for (float y : step) {
            squares += (double) y * y;
          }
        }
        double sum = 0;
        double sumOfSquares = 0;
        double largest = 0;
        for (double each : variance) {
          sum += each;
          sumOfSquares += each * each;
          largest = Math.max(largest, each);
        }
        double bound = sum + 2 * Math.sqrt(T * sumOfSquares) + 2 * T * largest;
        worst = Math.max(worst, bound * elements / variance.length / squares);
      }
    }
    return worst;
  }

  private double[] variance(Value output) {
    Node node = Objects.requireNonNull(producers.get(output));
    return switch (node.op()) {
      case MatMul _, MoeMatMul _ -> product(node);
      case Glu(var activation) -> {
        Node gate = producers.get(node.value(0));
        Node up = producers.get(node.value(1));
        if (gate == null || up == null || !isProduct(gate)) {
          yield new double[0];
        }
        double[] gateVariance = product(gate);
        double[] upVariance = product(up);
        double[] gates = exact(gate);
        double[] ups = exact(up);
        double[] variance = new double[gates.length];
        for (int i = 0; i < variance.length; i++) {
          double h = 1e-3;
          double slope = (activation.apply(gates[i] + h) - activation.apply(gates[i] - h)) / 2 / h;
          // Both errors come from the same x, so that they may add up.
          double deviation =
              Math.abs(slope * ups[i]) * Math.sqrt(gateVariance[i])
                  + Math.abs(activation.apply(gates[i])) * Math.sqrt(upVariance[i]);
          variance[i] = deviation * deviation;
        }
        yield variance;
      }
      default -> new double[0];
    };
  }

  private static boolean isProduct(Node node) {
    return node.op() instanceof MatMul || node.op() instanceof MoeMatMul;
  }

  /** What the rows of x hold for each token: embeddings, and sums and norms of them. */
  private float[][] rows(Value x) {
    Node node = producers.get(x);
    if (node == null) {
      throw new IllegalStateException("the rows of " + x.name() + " are not known");
    }
    return switch (node.op()) {
      case Embedding _ -> decode(tensor(node.weight(1)));
      case Add _ -> {
        float[][] rows = rows(node.value(0));
        float[][] others = rows(node.value(1));
        for (int row = 0; row < rows.length; row++) {
          for (int i = 0; i < rows[row].length; i++) {
            rows[row][i] += others[row][i];
          }
        }
        yield rows;
      }
      case RmsNorm(float epsilon, int group) when group == x.type().columns() -> {
        float[][] rows = rows(node.value(0));
        float[] scales = Blocks.decode(tensor(node.weight(1)));
        for (float[] row : rows) {
          double squares = 0;
          for (float each : row) {
            squares += (double) each * each;
          }
          double factor = 1 / Math.sqrt(squares / row.length + epsilon);
          for (int i = 0; i < row.length; i++) {
            row[i] = (float) (row[i] * factor * scales[i]);
          }
        }
        yield rows;
      }
      default -> throw new IllegalStateException("the rows of " + x.name() + " are not known");
    };
  }

  private Tensor tensor(Weight weight) {
    return Objects.requireNonNull(tensors.get(weight.name()));
  }

  /** Variances of the error of x · Wᵀ for x of all tokens. */
  private double[] product(Node node) {
    ActivationRounding rounding = device.activationRounding(node.weight(1).type());
    return sums(node, (x, w) -> w * w * x, x -> variances(x, rounding));
  }

  private static double[] variances(float[] x, ActivationRounding rounding) {
    double[] variances = new double[x.length];
    for (int start = 0; start < x.length; start += rounding.block()) {
      int end = Math.min(x.length, start + rounding.block());
      float largest = 0;
      for (int i = start; i < end; i++) {
        largest = Math.max(largest, Math.abs(x[i]));
      }
      Arrays.fill(variances, start, end, rounding.variance(largest));
    }
    return variances;
  }

  private double[] exact(Node node) {
    return sums(
        node, (x, w) -> w * x, x -> IntStream.range(0, x.length).mapToDouble(i -> x[i]).toArray());
  }

  /**
   * Sums over a matrix's columns for x of all tokens, and for each slot of a row if there are
   * experts.
   *
   * @param term of an element of {@code of} and one of W
   * @param of what of x is taken
   */
  private double[] sums(Node node, DoubleBinaryOperator term, Function<float[], double[]> of) {
    Weight weight = node.weight(1);
    float[][] x = rows(node.value(0));
    float[][] w = decode(tensor(weight));
    int[][] ids = new int[x.length][1];
    if (node.op() instanceof MoeMatMul) {
      ids = route(node.value(2), x.length, Math.toIntExact(weight.shape().dimension(0)));
    }
    int in = w[0].length;
    int used = ids[0].length;
    int out = Math.toIntExact(weight.shape().dimension(-2));
    double[] result = new double[x.length * used * out];
    for (int slot = 0; slot < x.length * used; slot++) {
      float[] row = x[slot / used];
      int from = row.length == in ? 0 : slot % used * in;
      double[] inputs = of.apply(Arrays.copyOfRange(row, from, from + in));
      int first = ids[slot / used][slot % used] * out;
      for (int column = 0; column < out; column++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += term.applyAsDouble(inputs[i], w[first + column][i]);
        }
        result[slot * out + column] = sum;
      }
    }
    return result;
  }

  /** The experts of all rows: of a table of logits, or all slots' own. */
  private int[][] route(Value ids, int rows, int experts) {
    Node node = producers.get(ids);
    if (node != null && node.op() instanceof SlotIds(var slots)) {
      int[] own = IntStream.range(0, slots).map(slot -> Math.min(slot, experts - 1)).toArray();
      return IntStream.range(0, rows).mapToObj(_ -> own).toArray(int[][]::new);
    }
    if (node == null || !(node.op() instanceof MoeRoute route) || node.inputs().size() > 1) {
      throw new IllegalStateException("the experts of " + ids.name() + " are not known");
    }
    float[][] logits = rows(node.value(0));
    int[][] chosen = new int[logits.length][route.used()];
    for (int row = 0; row < logits.length; row++) {
      route.route(logits[row], null, chosen[row], new float[route.used()]);
    }
    return chosen;
  }

  private static float[][] decode(Tensor tensor) {
    int columns = Math.toIntExact(tensor.shape().columns());
    float[][] rows = new float[Math.toIntExact(tensor.shape().rows())][columns];
    for (int row = 0; row < rows.length; row++) {
      long at = row * tensor.type().byteSize(columns);
      Blocks.decode(tensor.type(), tensor.data(), at, rows[row], 0, columns);
    }
    return rows;
  }
}
