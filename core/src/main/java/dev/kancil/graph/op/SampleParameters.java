package dev.kancil.graph.op;

/**
 * What a row brings to {@link Sample}, as devices read it: ten I32, whose pairs are whole numbers
 * of 64 bits, low half first. The constants are their columns.
 */
public final class SampleParameters {
  public static final int COLUMNS = 10;

  /** A pair: weights below are not drawn. */
  public static final int MIN_WEIGHT = 0;

  /** A pair: bits of which each is 0 or 1 as likely as not. */
  public static final int RANDOM = 2;

  /** Bits of a float: log₂ e / temperature; 0: always the likeliest. */
  public static final int SCALE = 4;

  /** How many of the likeliest; 0: all. */
  public static final int TOP_K = 5;

  /** The share of the likeliest, in units of 2⁻³², unsigned; 0: all. */
  public static final int TOP_P = 6;

  /** Bits of a float that multiplies changed logits up to 0. */
  public static final int REPETITION = 7;

  /** Bits of a float that multiplies changed logits above 0. */
  public static final int INVERSE = 8;

  /** Where the row's changes end, and the next row's begin; the first row's begin at 0. */
  public static final int CHANGES_END = 9;

  private static final double LOG2_E = 1 / Math.log(2);

  /** So large that a difference of denormal logits, which some devices take for 0, is no matter. */
  private static final float MOST_SCALE = 0x1p64f;

  private SampleParameters() {}

  /**
   * Writes all but {@link #CHANGES_END} into {@code target} from {@code at} on.
   *
   * @param temperature 0: always the likeliest
   * @param topK 0: all
   * @param topP 1: all
   * @param minP share of the likeliest's probability; 0: all
   * @param repetitionPenalty above 0; 1: none
   * @param random bits of which each is 0 or 1 as likely as not
   */
  public static void encode(
      float temperature,
      int topK,
      float topP,
      float minP,
      float repetitionPenalty,
      long random,
      int[] target,
      int at) {
    boolean greedy = temperature == 0 || topK == 1;
    float scale = greedy ? 0 : Math.min((float) (LOG2_E / temperature), MOST_SCALE);
    long share = topP < 1 ? (long) Math.ceil(topP * 0x1p32) : 0;
    set(target, at + MIN_WEIGHT, (long) Math.ceil(minP * (double) (1L << Sample.WEIGHT_BITS)));
    set(target, at + RANDOM, random);
    target[at + SCALE] = Float.floatToRawIntBits(scale);
    target[at + TOP_K] = topK;
    target[at + TOP_P] = (int) share;
    target[at + REPETITION] = Float.floatToRawIntBits(repetitionPenalty);
    target[at + INVERSE] = Float.floatToRawIntBits(1 / repetitionPenalty);
  }

  private static void set(int[] target, int at, long value) {
    target[at] = (int) value;
    target[at + 1] = (int) (value >>> 32);
  }
}
