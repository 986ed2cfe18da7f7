package dev.kancil.family;

import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Weights that lie as {@link GroupedIntegers}: {@code x.qweight}, {@code x.qzeros}, {@code
 * x.scales} and, where columns of a group lie apart (GPTQ's act-order), {@code x.g_idx}. They
 * become blocks that hold the same exactly, or float32 where there are none.
 */
final class GroupedWeights {
  /** What the tensor of integers is called, behind the layer's name. */
  static final String QUANTS = ".qweight";

  private static final Logger LOG = LoggerFactory.getLogger(GroupedWeights.class);

  private final Weights weights;
  private final Quantization quantization;
  private final Map<String, Integer> inflated = new TreeMap<>();

  GroupedWeights(Weights weights, Quantization quantization) {
    this.weights = weights;
    this.quantization = quantization;
  }

  /**
   * The matrix of a layer; null if something is wrong with it, which the weights then know.
   *
   * @param stem of its tensors' names
   * @param mayReorder whether columns may come in another order, which {@link PlacedWeight#order}
   *     tells
   */
  @Nullable PlacedWeight place(String stem, Shape shape, boolean mayReorder) {
    GroupedIntegers integers = find(stem, shape);
    if (integers == null) {
      return null;
    }
    String name = stem + QUANTS;
    int[] order = integers.order();
    DataType type = integers.type();
    if (order == null) {
      return inflate(name, integers, shape, "groups that are no multiple of 32 columns");
    }
    if (type == null) {
      return inflate(name, integers, shape, "integers of eight bits with zeros other than 128");
    }
    if (!integers.scalesAreHalves()) {
      return inflate(name, integers, shape, "scales that are not of half precision");
    }
    boolean isReordered = false;
    for (int i = 0; i < order.length; i++) {
      isReordered |= order[i] != i;
    }
    if (isReordered && !mayReorder) {
      return inflate(name, integers, shape, "an order of columns where none can be");
    }
    Weight columns = isReordered ? weights.order(order) : null;
    return PlacedWeight.made(
        name, type, shape, columns, target -> integers.pack(type, order, target));
  }

  private PlacedWeight inflate(String name, GroupedIntegers integers, Shape shape, String reason) {
    inflated.merge(reason, 1, Integer::sum);
    return PlacedWeight.made(name, DataType.F32, shape, null, integers::decode);
  }

  /** Tells which weights take the room of float32, and why. */
  void report(String checkpoint) {
    inflated.forEach(
        (reason, count) ->
            LOG.info(
                "{}: {} quantized weights become float32: they have {}",
                checkpoint,
                count,
                reason));
  }

  private @Nullable GroupedIntegers find(String stem, Shape shape) {
    int out = Math.toIntExact(shape.rows());
    int in = Math.toIntExact(shape.columns());
    Tensor quants = tensor(stem + QUANTS, DataType.I32);
    Tensor zeros = tensor(stem + ".qzeros", DataType.I32);
    Tensor scales = weights.tensor(stem + ".scales");
    Tensor groupOf = weights.has(stem + ".g_idx") ? tensor(stem + ".g_idx", DataType.I32) : null;
    if (quants == null || zeros == null || scales == null) {
      return null;
    }
    boolean isAwq = quants.shape().equals(Shape.of(in, out / 8)) && out % 8 == 0;
    int bits = isAwq ? 4 : bits(quants.shape(), out, in);
    if (bits == 0) {
      weights.problem(
          "the tensor "
              + stem
              + QUANTS
              + " has shape "
              + quants.shape()
              + ", which is not that of "
              + shape
              + " in 2, 3, 4 or 8 bits");
      return null;
    }
    long groups = scales.shape().rank() == 2 ? scales.shape().dimension(0) : 0;
    int[] groupOfColumn =
        groupOf == null ? inOrder(in, groups) : numbers(stem + ".g_idx", groupOf, in, groups);
    boolean fits = check(stem + ".scales", scales, Shape.of(groups, out));
    fits &= check(stem + ".qzeros", zeros, Shape.of(groups, (long) out * bits / 32));
    if (groupOf == null && groupOfColumn == null) {
      weights.problem(
          "the tensor " + stem + ".scales has " + groups + " groups for " + in + " columns");
    }
    if (!(scales.type() == DataType.F16
        || scales.type() == DataType.BF16
        || scales.type() == DataType.F32)) {
      weights.problem("the tensor " + stem + ".scales is of type " + scales.type());
      fits = false;
    }
    if (!fits || groupOfColumn == null) {
      return null;
    }
    int zeroOffset = !isAwq && quantization.zerosAreOneLess() ? 1 : 0;
    return new GroupedIntegers(out, bits, isAwq, quants, zeros, scales, zeroOffset, groupOfColumn);
  }

  private static int bits(Shape packed, long out, long in) {
    for (int bits : new int[] {2, 3, 4, 8}) {
      if (in * bits % 32 == 0
          && out * bits % 32 == 0
          && packed.equals(Shape.of(in * bits / 32, out))) {
        return bits;
      }
    }
    return 0;
  }

  /** Groups one after the other; null if there is no size that makes so many. */
  private int @Nullable [] inOrder(int in, long groups) {
    long said = quantization.groupSize();
    long size;
    if (groups < 1 || groups > in) {
      return null;
    } else if (said > 0 && (in + said - 1) / said == groups) {
      size = said;
    } else if (in % groups == 0) {
      size = in / groups;
    } else {
      return null;
    }
    int[] groupOf = new int[in];
    for (int i = 0; i < in; i++) {
      groupOf[i] = (int) (i / size);
    }
    return groupOf;
  }

  private int @Nullable [] numbers(String name, Tensor tensor, int in, long groups) {
    if (!check(name, tensor, Shape.of(in))) {
      return null;
    }
    int[] numbers = tensor.data().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    for (int number : numbers) {
      if (number < 0 || number >= groups) {
        weights.problem("the tensor " + name + " names group " + number + " of " + groups);
        return null;
      }
    }
    return numbers;
  }

  private boolean check(String name, Tensor tensor, Shape shape) {
    if (!tensor.shape().equals(shape)) {
      weights.problem("the tensor " + name + " has shape " + tensor.shape() + ", not " + shape);
      return false;
    }
    return true;
  }

  private @Nullable Tensor tensor(String name, DataType type) {
    Tensor tensor = weights.tensor(name);
    if (tensor != null && tensor.type() != type) {
      weights.problem("the tensor " + name + " is of type " + tensor.type() + ", not of " + type);
      return null;
    }
    return tensor;
  }
}
