package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import java.util.Map;

/**
 * How the next token is chosen from the logits. In this order: bias and penalties change logits,
 * the temperature divides them, then {@code topK}, {@code topP} and {@code minP} each drop
 * candidates, and one of those left is drawn by its probability. Among equal logits lower ids come
 * first. {@link dev.kancil.graph.op.Sample} has the arithmetic, which is the same on all devices.
 *
 * @param temperature 0: always the likeliest token; 1: the model's own distribution
 * @param topK keep this many of the likeliest; 0: all
 * @param topP keep the likeliest until their probabilities reach this sum (Holtzman et al. 2020);
 *     1: all
 * @param minP drop what is less likely than this share of the likeliest (Nguyen et al. 2024); 0:
 *     none
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens that the
 *     prompt or the text so far holds (Keskar et al. 2019); 1: none
 * @param presencePenalty subtracted from the logits of tokens generated before
 * @param frequencyPenalty subtracted once for each time that a token was generated
 * @param logitBias added to the logits of single tokens, by id; at most 1024
 * @param seed of the generator; the bits that decide for a position depend on seed and position
 *     alone, so that results don't depend on what runs beside. They fall, in the order of ids, into
 *     what the probabilities of those left add up to
 */
public record Sampling(
    float temperature,
    int topK,
    float topP,
    float minP,
    float repetitionPenalty,
    float presencePenalty,
    float frequencyPenalty,
    Map<Integer, Float> logitBias,
    long seed) {
  /** Always the likeliest token. */
  public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(), 0);

  public Sampling {
    require(temperature >= 0 && temperature <= 100, "temperature", temperature, "0 to 100");
    require(topK >= 0, "top-k", topK, "0 or more");
    require(topP > 0 && topP <= 1, "top-p", topP, "above 0, at most 1");
    require(minP >= 0 && minP <= 1, "min-p", minP, "0 to 1");
    require(
        repetitionPenalty > 0 && repetitionPenalty <= 100,
        "repeat-penalty",
        repetitionPenalty,
        "above 0, at most 100");
    require(Math.abs(presencePenalty) <= 100, "presence-penalty", presencePenalty, "-100 to 100");
    require(
        Math.abs(frequencyPenalty) <= 100, "frequency-penalty", frequencyPenalty, "-100 to 100");
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach(
        (id, bias) -> {
          // Negative infinity is the usual way to forbid a token.
          require(!(bias.isNaN() || bias > Float.MAX_VALUE), "logit bias of " + id, bias, "finite");
        });
  }

  boolean isGreedy() {
    return temperature == 0 || topK == 1;
  }

  boolean hasPenalties() {
    return repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
  }

  private static void require(boolean holds, String what, Number value, String allowed) {
    if (!holds) {
      throw new InvalidRequestException(what + " is " + value + ", but must be " + allowed);
    }
  }
}
