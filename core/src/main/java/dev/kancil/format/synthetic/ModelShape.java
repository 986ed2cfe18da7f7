package dev.kancil.format.synthetic;

import java.util.Locale;

/** The sizes of a model of the llama architecture, or of one that extends it. */
public enum ModelShape {
  /** Small enough for a test. */
  TINY(3, 256, 4, 2, 64, 512, 512, false, 10_000),
  /** The same with experts. */
  TINY_MOE(3, 256, 4, 2, 64, 256, 512, false, 10_000, "qwen3moe", 8, 2),
  /** Llama 3.2 1B (Llama Team 2024). */
  LLAMA_1B(16, 2048, 32, 8, 64, 8192, 128_256, true, 500_000),
  /** Llama 3.2 3B. */
  LLAMA_3B(28, 3072, 24, 8, 128, 8192, 128_256, true, 500_000),
  /** Llama 3.1 8B. */
  LLAMA_8B(32, 4096, 32, 8, 128, 14_336, 128_256, false, 500_000),
  /** Qwen 2.5 14B's sizes, without its biases, as a llama (Qwen Team 2024). */
  QWEN_14B(40, 5120, 40, 8, 128, 13_824, 152_064, false, 1_000_000),
  /** Qwen 2.5 7B, with its biases. */
  QWEN2_7B(28, 3584, 28, 4, 128, 18_944, 152_064, false, 1_000_000, "qwen2", 0, 0),
  /** Qwen 3 4B (Qwen Team 2025), whose heads have norms. */
  QWEN3_4B(36, 2560, 32, 8, 128, 9728, 151_936, true, 1_000_000, "qwen3", 0, 0),
  /** Qwen 3 8B. */
  QWEN3_8B(36, 4096, 32, 8, 128, 12_288, 151_936, false, 1_000_000, "qwen3", 0, 0),
  /** What generates text in Gemma 3 4B (Gemma Team 2025); five layers of six see 1,024 tokens. */
  GEMMA3_4B(34, 2560, 8, 4, 256, 10_240, 262_208, true, 1_000_000, "gemma3", 0, 0),
  /** Mixtral 8x7B (Jiang et al. 2024). */
  MIXTRAL_8X7B(32, 4096, 32, 8, 128, 14_336, 32_000, false, 1_000_000, "llama", 8, 2),
  /** Qwen 3 30B of which a token uses 3B (Qwen Team 2025). */
  QWEN3_30B_A3B(48, 2048, 32, 4, 128, 768, 151_936, false, 1_000_000, "qwen3moe", 128, 8);

  static final int CONTEXT = 131_072;

  final int layers;
  final int width;
  final int heads;
  final int kvHeads;
  final int headWidth;
  final int feedForward;
  final int vocabulary;
  final boolean tied;
  final float ropeBase;
  final String architecture;
  final int experts;
  final int usedExperts;

  /**
   * @param width columns of the residual stream
   * @param headWidth columns of a head
   * @param feedForward columns inside the feed-forward part, or inside each expert
   * @param vocabulary token ids
   * @param tied whether the token embeddings are the output head, too
   */
  ModelShape(
      int layers,
      int width,
      int heads,
      int kvHeads,
      int headWidth,
      int feedForward,
      int vocabulary,
      boolean tied,
      float ropeBase) {
    this(
        layers,
        width,
        heads,
        kvHeads,
        headWidth,
        feedForward,
        vocabulary,
        tied,
        ropeBase,
        "llama",
        0,
        0);
  }

  /**
   * @param architecture as GGUF calls it
   * @param experts in each layer; 0: none
   * @param usedExperts by each token
   */
  ModelShape(
      int layers,
      int width,
      int heads,
      int kvHeads,
      int headWidth,
      int feedForward,
      int vocabulary,
      boolean tied,
      float ropeBase,
      String architecture,
      int experts,
      int usedExperts) {
    this.layers = layers;
    this.width = width;
    this.heads = heads;
    this.kvHeads = kvHeads;
    this.headWidth = headWidth;
    this.feedForward = feedForward;
    this.vocabulary = vocabulary;
    this.tied = tied;
    this.ropeBase = ropeBase;
    this.architecture = architecture;
    this.experts = experts;
    this.usedExperts = usedExperts;
  }

  /** Whether each head's queries and keys have norms of their own. */
  boolean hasHeadNorms() {
    return architecture.startsWith("qwen3") || architecture.equals("gemma3");
  }

  /** Whether there is a norm behind each part of a layer, too. */
  boolean hasNormsBehind() {
    return architecture.equals("gemma3");
  }

  /** Whether queries, keys and values have biases. */
  boolean hasBiases() {
    return architecture.equals("qwen2");
  }

  /** Tokens that most layers see; 0: all layers see all. */
  int window() {
    return architecture.equals("gemma3") ? 1024 : 0;
  }

  /** As it is asked for, such as {@code llama-1b}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
