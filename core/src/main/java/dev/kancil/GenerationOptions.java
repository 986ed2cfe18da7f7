package dev.kancil;

import dev.kancil.engine.Sampling;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What to generate and how to choose.
 *
 * @param maxTokens the most tokens; the context's end comes first if it is nearer
 * @param stop texts that end the generation where they appear; they are not part of the result
 * @param stopAtEndOfTurn whether the model's own end tokens end the generation
 * @param sampling how tokens are chosen
 */
public record GenerationOptions(
    int maxTokens, List<String> stop, boolean stopAtEndOfTurn, Sampling sampling) {
  /** Up to 512 tokens, sampled at temperature 0.8 with min-p 0.05, seed 0. */
  public static final GenerationOptions DEFAULT = builder().build();

  public GenerationOptions {
    if (maxTokens < 1) {
      throw new InvalidRequestException("max tokens is " + maxTokens + ", but must be 1 or more");
    }
    stop = List.copyOf(stop);
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw new InvalidRequestException("a stop string is empty");
    }
  }

  /** A builder that starts with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options; anything not set keeps its default. */
  public static final class Builder {
    private int maxTokens = 512;
    private List<String> stop = List.of();
    private boolean stopAtEndOfTurn = true;
    private float temperature = 0.8f;
    private int topK;
    private float topP = 1;
    private float minP = 0.05f;
    private float repetitionPenalty = 1;
    private float presencePenalty;
    private float frequencyPenalty;
    private final Map<Integer, Float> logitBias = new HashMap<>();
    private long seed;

    private Builder() {}

    /** See {@link GenerationOptions#maxTokens}. */
    public Builder maxTokens(int tokens) {
      maxTokens = tokens;
      return this;
    }

    /** See {@link GenerationOptions#stop}. */
    public Builder stop(String... texts) {
      stop = List.of(texts);
      return this;
    }

    /** See {@link GenerationOptions#stopAtEndOfTurn}. */
    public Builder stopAtEndOfTurn(boolean stops) {
      stopAtEndOfTurn = stops;
      return this;
    }

    /** See {@link Sampling#temperature}. */
    public Builder temperature(float value) {
      temperature = value;
      return this;
    }

    /** Always the likeliest token. */
    public Builder greedy() {
      return temperature(0);
    }

    /** See {@link Sampling#topK}. */
    public Builder topK(int count) {
      topK = count;
      return this;
    }

    /** See {@link Sampling#topP}. */
    public Builder topP(float share) {
      topP = share;
      return this;
    }

    /** See {@link Sampling#minP}. */
    public Builder minP(float share) {
      minP = share;
      return this;
    }

    /** See {@link Sampling#repetitionPenalty}. */
    public Builder repetitionPenalty(float factor) {
      repetitionPenalty = factor;
      return this;
    }

    /** See {@link Sampling#presencePenalty}. */
    public Builder presencePenalty(float penalty) {
      presencePenalty = penalty;
      return this;
    }

    /** See {@link Sampling#frequencyPenalty}. */
    public Builder frequencyPenalty(float penalty) {
      frequencyPenalty = penalty;
      return this;
    }

    /** Adds {@code bias} to a token's logit; negative infinity forbids it. */
    public Builder logitBias(int token, float bias) {
      logitBias.put(token, bias);
      return this;
    }

    /** See {@link Sampling#seed}. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidRequestException naming the option that is out of range
     */
    public GenerationOptions build() {
      return new GenerationOptions(
          maxTokens,
          stop,
          stopAtEndOfTurn,
          new Sampling(
              temperature,
              topK,
              topP,
              minP,
              repetitionPenalty,
              presencePenalty,
              frequencyPenalty,
              logitBias,
              seed));
    }
  }
}
