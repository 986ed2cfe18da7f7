package dev.kancil.family;

import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * What a GGUF file says of a transformer: sizes as it was declared, and factors as its checkpoint
 * has them.
 */
final class GgufSettings {
  /** Numbers that mean the same in both formats, where a checkpoint has them. */
  private static final List<String> NUMBERS =
      List.of(
          "attention.scale",
          "attention.clamp_kqv",
          "embedding_scale",
          "residual_scale",
          "logit_scale",
          "attn_logit_softcapping",
          "final_logit_softcapping",
          "expert_weights_scale");

  /** The same, of stretched contexts. */
  private static final List<String> SCALINGS =
      List.of("rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow");

  /** Architectures of which files say which layers see a window; others' do so always alike. */
  private static final Set<String> PATTERNED =
      Set.of("cohere2", "exaone4", "gemma2", "gemma3", "gpt-oss", "olmo2", ModernBert.GGUF);

  private static final String FACTOR = "rope.scaling.factor";

  /** What configurations call LongRoPE. */
  private static final Set<String> LONG = Set.of("longrope", "su");

  private static final List<String> COUNTS =
      List.of(
          "expert_count",
          "expert_used_count",
          "expert_feed_forward_length",
          "expert_shared_feed_forward_length");

  private final String prefix;
  private final Checkpoint source;
  private final SequencedMap<String, GgufValue> values = new LinkedHashMap<>();

  private GgufSettings(String architecture, Checkpoint source) {
    prefix = architecture + ".";
    this.source = source;
  }

  /**
   * Metadata under the architecture's name.
   *
   * @param settings those of {@code source}
   * @param declared what they declare: a decoder, an encoder, or both
   */
  static SequencedMap<String, GgufValue> of(
      String architecture,
      Checkpoint source,
      Hyperparameters settings,
      Transformer declared,
      long vocabulary) {
    GgufStack stack = GgufStack.of(declared, WeightNames.GGUF).getFirst();
    GgufSettings gguf = new GgufSettings(architecture, source);
    gguf.integer("vocab_size", vocabulary);
    gguf.integer("context_length", settings.contextLength());
    gguf.integer("embedding_length", stack.embeddings().width());
    gguf.integer("block_count", stack.blocks().size());
    Block first = stack.blocks().getFirst();
    gguf.feedForward(first.feedForward());
    if (List.of("gptneox", "stablelm").contains(architecture)) {
      gguf.values.put(
          gguf.prefix + "use_parallel_residual",
          new GgufValue.Bool(first.residual() != Block.Residual.SEQUENTIAL));
    }
    if (first.attention() instanceof AttentionLayer attention) {
      Heads heads = attention.heads();
      gguf.integer("attention.head_count", heads.query());
      gguf.integer("attention.head_count_kv", heads.keyValue());
      gguf.integer("attention.key_length", heads.keyWidth());
      gguf.integer("attention.value_length", heads.valueWidth());
    }
    if (first.attention() instanceof LatentAttention attention) {
      gguf.latent(attention, settings);
    }
    if (architecture.equals(GlmMixture.GGUF)) {
      gguf.routedExperts(settings, true);
    }
    Norm last = stack.finalNorm();
    gguf.epsilon(last.equals(Norm.NONE) ? stack.embeddings().norm() : last);
    gguf.window(stack.blocks(), settings, architecture);
    gguf.rotation(stack.blocks());
    if (architecture.startsWith("t5")) {
      // Of both stacks; the usual number is that of transformers.
      gguf.integer(
          "attention.relative_buckets_count",
          source.integer("attention.relative_buckets_count").orElse(32L));
    }
    if (declared instanceof EncoderDecoder both) {
      gguf.integer("decoder_block_count", both.decoder().blocks().size());
      gguf.integer("decoder_start_token_id", both.start());
    }
    NUMBERS.forEach(gguf::copyNumber);
    if (source.integer("expert_count").orElse(0L) > 0) {
      COUNTS.forEach(
          key -> source.integer(key).filter(n -> n > 0).ifPresent(n -> gguf.integer(key, n)));
    }
    return gguf.values;
  }

  /**
   * Adds what is said of encoders alone.
   *
   * @param embeddings as the file has them
   * @param pooling what stands for a text, by what does where no other file says
   */
  static void addEncoder(
      SequencedMap<String, GgufValue> values,
      String architecture,
      Hyperparameters settings,
      Encoder encoder,
      Embeddings embeddings,
      UnaryOperator<Pooling> pooling) {
    String prefix = architecture + ".";
    int positions = embeddings.positions();
    if (positions > 0) {
      values.put(prefix + "context_length", whole(positions));
    }
    if (architecture.startsWith("t5")) {
      return;
    }
    values.put(prefix + "attention.causal", new GgufValue.Bool(false));
    int classes = GgufEncoders.classes(encoder);
    int type = GgufEncoders.poolingType(pooling.apply(encoder.pooling()));
    values.put(prefix + "pooling_type", whole(classes > 0 ? GgufEncoders.CLASSES : type));
    if (architecture.equals(ModernBert.GGUF)) {
      settings
          .string("hidden_activation")
          .filter(List.of("gelu", "silu")::contains)
          .ifPresent(name -> values.put(prefix + "hidden_activation", new GgufValue.Text(name)));
      if (classes > 0) {
        int ofClasses = GgufEncoders.poolingType(encoder.pooling());
        values.put(prefix + ModernBert.POOLING_OF_CLASSES, whole(ofClasses));
      }
    } else {
      // One also where tokens are of no kind.
      values.put("tokenizer.ggml.token_type_count", whole(Math.max(1, embeddings.tokenTypes())));
    }
    if (classes > 1) {
      values.put(
          prefix + "classifier.output_labels",
          new GgufValue.Texts(
              IntStream.range(0, classes)
                  .mapToObj(i -> settings.string("id2label." + i).orElse("LABEL_" + i))
                  .toList()));
    }
  }

  private static GgufValue whole(long value) {
    return new GgufValue.Int(GgufValue.IntType.UINT32, value);
  }

  private void integer(String key, long value) {
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(key + " is " + value);
    }
    values.put(prefix + key, whole(value));
  }

  private void number(String key, double value) {
    values.put(prefix + key, new GgufValue.Float32((float) value));
  }

  private void copyNumber(String key) {
    source.number(key).ifPresent(value -> number(key, value));
  }

  /** Latent attention, and the experts of models that have it (deepseek2). */
  private void latent(LatentAttention attention, Hyperparameters settings) {
    integer("attention.head_count", attention.heads());
    integer("attention.head_count_kv", attention.heads());
    integer("attention.key_length", attention.plainWidth() + attention.turnedWidth());
    integer("attention.value_length", attention.valueWidth());
    integer("attention.kv_lora_rank", attention.latentWidth());
    if (attention.queryRank() > 0) {
      integer("attention.q_lora_rank", attention.queryRank());
    }
    integer("rope.dimension_count", attention.turnedWidth());
    number("rope.freq_base", attention.rotation().embedding().base());
    scaling();
    source
        .number("rope_scaling.mscale_all_dim")
        .ifPresent(ofAll -> number("rope.scaling.yarn_log_multiplier", 0.1 * ofAll));
    routedExperts(settings, !settings.architecture().equals("deepseek_v2"));
  }

  /** Experts as DeepSeek has them. */
  private void routedExperts(Hyperparameters settings, boolean isSigmoid) {
    for (String key :
        List.of(
            "leading_dense_block_count",
            "expert_shared_count",
            "expert_group_count",
            "expert_group_used_count")) {
      source.integer(key).ifPresent(count -> integer(key, count));
    }
    integer("expert_gating_func", isSigmoid ? DeepSeekExperts.SIGMOID : DeepSeekExperts.SOFTMAX);
    values.put(
        prefix + "expert_weights_norm",
        new GgufValue.Bool(settings.flag("expert_weights_norm", isSigmoid)));
  }

  private void feedForward(FeedForward part) {
    int width =
        switch (part) {
          case FeedForward.Gated gated -> gated.width();
          case FeedForward.Plain plain -> plain.width();
          case FeedForward.Experts experts -> experts.width();
          case FeedForward.ClampedExperts experts -> {
            integer("expert_feed_forward_length", experts.width());
            yield experts.width();
          }
        };
    boolean isOfExperts =
        part instanceof FeedForward.Experts || part instanceof FeedForward.ClampedExperts;
    List<Long> named = isOfExperts ? source.integers("feed_forward_length") : List.of();
    integer("feed_forward_length", named.isEmpty() ? width : named.getFirst());
  }

  private void epsilon(Norm norm) {
    switch (norm) {
      case Norm.Rms(float epsilon) -> number("attention.layer_norm_rms_epsilon", epsilon);
      case Norm.Layer layer -> number("attention.layer_norm_epsilon", layer.epsilon());
      case Norm.LayerOfHeads(float epsilon) -> number("attention.layer_norm_epsilon", epsilon);
      case Norm.Identity _ -> {}
    }
  }

  private static int window(Block block) {
    return block.attention() instanceof AttentionLayer attention ? attention.scores().window() : 0;
  }

  private void window(List<Block> blocks, Hyperparameters settings, String architecture) {
    if (blocks.stream().allMatch(block -> window(block) == 0)) {
      return;
    }
    boolean isModernBert = architecture.equals(ModernBert.GGUF);
    int most = blocks.stream().mapToInt(GgufSettings::window).max().orElseThrow();
    integer("attention.sliding_window", isModernBert ? 2 * most : settings.window());
    if (!PATTERNED.contains(architecture)) {
      return;
    }
    String key = "attention.sliding_window_pattern";
    boolean[] isWindowed = new boolean[blocks.size()];
    for (int i = 0; i < isWindowed.length; i++) {
      isWindowed[i] = window(blocks.get(i)) > 0;
    }
    int first = isModernBert ? 0 : 1;
    OptionalInt period =
        IntStream.rangeClosed(1, isWindowed.length + 1)
            .filter(
                every ->
                    IntStream.range(0, isWindowed.length)
                        .allMatch(i -> isWindowed[i] == ((i + first) % every != 0)))
            .findFirst();
    if (period.isPresent()) {
      integer(key, period.getAsInt());
    } else {
      long[] flags =
          IntStream.range(0, isWindowed.length).mapToLong(i -> isWindowed[i] ? 1 : 0).toArray();
      values.put(prefix + key, new GgufValue.Ints("bool", flags));
    }
  }

  private void rotation(List<Block> blocks) {
    Map<Boolean, Rotation> byWindow = new LinkedHashMap<>();
    for (Block block : blocks) {
      if (block.attention() instanceof AttentionLayer attention) {
        attention
            .rotation()
            .ifPresent(rotation -> byWindow.putIfAbsent(window(block) > 0, rotation));
      }
    }
    Rotation local = byWindow.get(true);
    Rotation global = byWindow.getOrDefault(false, local);
    if (global == null) {
      return;
    }
    integer("rope.dimension_count", global.embedding().rotaryWidth());
    number("rope.freq_base", global.embedding().base());
    if (local != null) {
      number("rope.freq_base_swa", local.embedding().base());
    }
    scaling();
    double magnitude = global.embedding().magnitude();
    switch (source.string("rope.scaling.type").orElse("none")) {
      // Readers don't know what it follows from.
      case String name when LONG.contains(name) -> number("rope.scaling.attn_factor", magnitude);
      case "yarn" -> {
        // What readers multiply by the usual one.
        double factor = source.number(FACTOR).orElse(1.0);
        double share = magnitude / RotarySettings.magnitude(factor, 1);
        if (Math.abs(share - 1) > 1e-7) {
          number("rope.scaling.attn_factor", share);
        }
      }
      default -> {}
    }
  }

  private void scaling() {
    String scaling =
        switch (source.string("rope.scaling.type").orElse("none")) {
          case "linear" -> "linear";
          case "yarn" -> "yarn";
          case String name when LONG.contains(name) -> "longrope";
          // What else there is becomes factors, or is for longer contexts alone.
          default -> "";
        };
    if (!scaling.isEmpty()) {
      values.put(prefix + "rope.scaling.type", new GgufValue.Text(scaling));
      if (!scaling.equals("longrope")) {
        // By which readers would divide positions.
        copyNumber(FACTOR);
      }
      SCALINGS.forEach(this::copyNumber);
      source
          .number("rope.scaling.original_context_length")
          .ifPresent(length -> integer("rope.scaling.original_context_length", Math.round(length)));
    }
  }
}
