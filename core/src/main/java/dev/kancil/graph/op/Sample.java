package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * The token that follows each row, chosen from its logits: the likeliest, or one drawn by its
 * probability, so that ids leave the device and not the logits.
 *
 * <p>Inputs: logits, F32 [rows × vocabulary]; parameters, I32 [rows × {@link
 * SampleParameters#COLUMNS}]; changes, I32 [changes × {@link #CHANGE_COLUMNS}], each row's behind
 * those of the row before. Output: ids, I32 [rows × 1]; -1 for a row without a logit above minus
 * infinity.
 *
 * <p>Everything is a fixed sequence of correctly rounded float32 operations (no fused
 * multiplication and addition) or arithmetic of whole numbers, whose sums have no order: from the
 * same logits, every device chooses the same token, whatever its vectors and threads. In this
 * order, for each row:
 *
 * <ol>
 *   <li>Changes: {@code x = logit + bias}; if the text has had the token, {@code x = (x > 0 ? x ·
 *       inverse : x · repetition) - penalty}. A logit that is no number, or minus infinity, is
 *       never chosen; both zeros are equal; tokens stand by falling logit, those of equal logits by
 *       rising id.
 *   <li>If {@code scale} is 0, the first token is the choice.
 *   <li>Weights, in units of 2⁻⁴⁰ of the first token's: {@code y = (x - most) · scale} with {@code
 *       most} the first's logit (0 where the two are equal, infinities too); {@code n = rint(y)},
 *       {@code f = y - n}, {@code p = }{@link #EXP2} at f by Horner's rule; {@code ⌊p · 2³⁰⌋ · 2¹⁰
 *       · 2ⁿ}, rounded down; 0 if {@code y < -42}.
 *   <li>{@code topK}, unless 0: only the first {@code topK} tokens stay.
 *   <li>{@code topP}, unless 0: of these only the first whose sum of weights reaches {@code ⌊total
 *       · topP · 2⁻³²⌋}, at least one.
 *   <li>Those whose weight is less than {@code minWeight} go.
 *   <li>{@code ⌊sum of weights · random · 2⁻⁶⁴⌋} falls, in order of ids, into the weight of the
 *       choice.
 * </ol>
 *
 * <p>Devices that take denormal numbers for 0 may do so in changed logits, where results can
 * differ.
 */
public record Sample() implements Primitive {
  /** Columns of the changes: those below. An id comes at most once in a row, and ids rise. */
  public static final int CHANGE_COLUMNS = 4;

  /** The token whose logit changes. */
  public static final int CHANGED_ID = 0;

  /** 1 if the text has had the token, so that the repetition penalty applies; 0 if not. */
  public static final int CHANGED_SEEN = 1;

  /** Bits of a float that is added to the logit. */
  public static final int CHANGED_BIAS = 2;

  /** Bits of a float that is subtracted at last, if the text has had the token. */
  public static final int CHANGED_PENALTY = 3;

  /** The most columns of logits: sums of their weights stay below 2⁶³. */
  public static final int MOST_COLUMNS = 1 << 22;

  /** The weight of the likeliest token, as a power of two. */
  public static final int WEIGHT_BITS = 40;

  /**
   * Coefficients of 2ᶠ for |f| ≤ ½, that of the highest power first, the last being 1 (Cephes, S.
   * Moshier); within 1.1 · 10⁻⁷.
   */
  public static final List<Float> EXP2 =
      List.of(
          1.5353362e-4f, 1.3398874e-3f, 9.618437e-3f, 5.5503324e-2f, 0.24022648f, 0.6931472f, 1f);

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 3);
    ValueType logits = floats(inputs, 0);
    ValueType parameters = valueType(inputs, 1);
    ValueType changes = valueType(inputs, 2);
    require(logits.columns() <= MOST_COLUMNS, () -> "a vocabulary of " + logits.columns());
    require(
        parameters.equals(new ValueType(DataType.I32, logits.rows(), SampleParameters.COLUMNS)),
        () -> "parameters are " + parameters);
    require(
        changes.type() == DataType.I32 && changes.columns() == CHANGE_COLUMNS,
        () -> "changes are " + changes);
    return List.of(new ValueType(DataType.I32, logits.rows(), 1));
  }
}
