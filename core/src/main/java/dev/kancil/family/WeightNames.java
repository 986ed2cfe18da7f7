package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.format.Checkpoint.Layout;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Where a format, or a family within a format, keeps weights. */
public final class WeightNames {
  /** GGUF spells names alike for all families. */
  public static final WeightNames GGUF =
      new WeightNames(
          "",
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, "token_embd.weight"),
              entry(WeightName.POSITION_EMBEDDING, "position_embd.weight"),
              entry(WeightName.EMBEDDING_NORM, "token_embd_norm.weight"),
              entry(WeightName.ATTENTION_NORM, "blk.{}.attn_norm.weight"),
              entry(WeightName.QUERY, "blk.{}.attn_q.weight"),
              entry(WeightName.KEY, "blk.{}.attn_k.weight"),
              entry(WeightName.VALUE, "blk.{}.attn_v.weight"),
              entry(WeightName.QUERY_NORM, "blk.{}.attn_q_norm.weight"),
              entry(WeightName.KEY_NORM, "blk.{}.attn_k_norm.weight"),
              entry(WeightName.SINKS, "blk.{}.attn_sinks.weight"),
              entry(WeightName.ATTENTION_OUTPUT, "blk.{}.attn_output.weight"),
              entry(WeightName.POST_ATTENTION_NORM, "blk.{}.post_attention_norm.weight"),
              entry(WeightName.FEED_FORWARD_NORM, "blk.{}.ffn_norm.weight"),
              entry(WeightName.GATE, "blk.{}.ffn_gate.weight"),
              entry(WeightName.UP, "blk.{}.ffn_up.weight"),
              entry(WeightName.DOWN, "blk.{}.ffn_down.weight"),
              entry(WeightName.ROUTER, "blk.{}.ffn_gate_inp.weight"),
              entry(WeightName.ROUTER_CORRECTION, "blk.{}.exp_probs_b.bias"),
              entry(WeightName.EXPERTS_GATE, "blk.{}.ffn_gate_exps.weight"),
              entry(WeightName.EXPERTS_UP, "blk.{}.ffn_up_exps.weight"),
              entry(WeightName.EXPERTS_DOWN, "blk.{}.ffn_down_exps.weight"),
              entry(WeightName.EXPERTS_GATE_BIAS, "blk.{}.ffn_gate_exps.bias"),
              entry(WeightName.EXPERTS_UP_BIAS, "blk.{}.ffn_up_exps.bias"),
              entry(WeightName.EXPERTS_DOWN_BIAS, "blk.{}.ffn_down_exps.bias"),
              entry(WeightName.SHARED_GATE, "blk.{}.ffn_gate_shexp.weight"),
              entry(WeightName.SHARED_UP, "blk.{}.ffn_up_shexp.weight"),
              entry(WeightName.SHARED_DOWN, "blk.{}.ffn_down_shexp.weight"),
              entry(WeightName.SHARED_SWITCH, "blk.{}.ffn_gate_inp_shexp.weight"),
              entry(WeightName.POST_FEED_FORWARD_NORM, "blk.{}.post_ffw_norm.weight"),
              entry(WeightName.ROPE_FACTORS, "rope_freqs.weight"),
              entry(WeightName.ROPE_FACTORS_SHORT, "rope_factors_short.weight"),
              entry(WeightName.ROPE_FACTORS_LONG, "rope_factors_long.weight"),
              entry(WeightName.FINAL_NORM, "output_norm.weight"),
              entry(WeightName.OUTPUT, "output.weight")));

  /** What transformers calls the weights of most decoders, after Llama. */
  public static final WeightNames HUGGING_FACE =
      new WeightNames(
              "model.",
              Map.ofEntries(
                  entry(WeightName.TOKEN_EMBEDDING, "model.embed_tokens.weight"),
                  entry(WeightName.ATTENTION_NORM, "model.layers.{}.input_layernorm.weight"),
                  entry(WeightName.QUERY, "model.layers.{}.self_attn.q_proj.weight"),
                  entry(WeightName.KEY, "model.layers.{}.self_attn.k_proj.weight"),
                  entry(WeightName.VALUE, "model.layers.{}.self_attn.v_proj.weight"),
                  entry(WeightName.QUERY_NORM, "model.layers.{}.self_attn.q_norm.weight"),
                  entry(WeightName.KEY_NORM, "model.layers.{}.self_attn.k_norm.weight"),
                  entry(WeightName.SINKS, "model.layers.{}.self_attn.sinks"),
                  entry(WeightName.ATTENTION_OUTPUT, "model.layers.{}.self_attn.o_proj.weight"),
                  entry(
                      WeightName.FEED_FORWARD_NORM,
                      "model.layers.{}.post_attention_layernorm.weight"),
                  entry(WeightName.GATE, "model.layers.{}.mlp.gate_proj.weight"),
                  entry(WeightName.UP, "model.layers.{}.mlp.up_proj.weight"),
                  entry(WeightName.DOWN, "model.layers.{}.mlp.down_proj.weight"),
                  entry(WeightName.ROUTER, "model.layers.{}.mlp.gate.weight"),
                  entry(
                      WeightName.ROUTER_CORRECTION,
                      "model.layers.{}.mlp.gate.e_score_correction_bias"),
                  entry(
                      WeightName.SHARED_GATE,
                      "model.layers.{}.mlp.shared_experts.gate_proj.weight"),
                  entry(WeightName.SHARED_UP, "model.layers.{}.mlp.shared_experts.up_proj.weight"),
                  entry(
                      WeightName.SHARED_DOWN,
                      "model.layers.{}.mlp.shared_experts.down_proj.weight"),
                  entry(WeightName.FINAL_NORM, "model.norm.weight"),
                  entry(WeightName.OUTPUT, "lm_head.weight")))
          .withExperts("model.layers.{}.mlp.experts.{e}.", "gate_proj", "up_proj", "down_proj");

  private static final String STACKED = ".experts.gate_up_proj";

  private final String prefix;
  private final Map<WeightName, WeightPlace> places;
  private final List<String> ignored;

  private WeightNames(String prefix, Map<WeightName, String> names) {
    this.prefix = prefix;
    places = new EnumMap<>(WeightName.class);
    names.forEach((weight, name) -> places.put(weight, WeightPlace.named(name)));
    ignored = List.of();
  }

  private WeightNames(WeightNames other, WeightName weight, WeightPlace place) {
    prefix = other.prefix;
    places = new EnumMap<>(other.places);
    places.put(weight, place);
    ignored = other.ignored;
  }

  private WeightNames(WeightNames other, List<String> ignored) {
    prefix = other.prefix;
    places = other.places;
    this.ignored = ignored;
  }

  /** The names that most families have in a layout. */
  public static WeightNames of(Layout layout) {
    return switch (layout) {
      case GGUF -> GGUF;
      case HUGGING_FACE -> HUGGING_FACE;
    };
  }

  /**
   * The names that most families have, where a GGUF file may have queries, keys and values in one
   * tensor.
   */
  static WeightNames usual(Hyperparameters settings) {
    String fused = "blk.0.attn_qkv.weight";
    return settings.isGguf() && settings.hasTensor(fused)
        ? GGUF.withFusedAttention(fused.replace("0", "{}"), settings.headsOf(0))
        : of(settings.layout());
  }

  /**
   * Names of which many differ.
   *
   * @param prefix that a checkpoint may leave out of all names that begin with it
   */
  public static WeightNames of(String prefix, Map<WeightName, String> names) {
    return new WeightNames(prefix, names);
  }

  /** The same, with one weight elsewhere. */
  public WeightNames with(WeightName weight, WeightPlace place) {
    return new WeightNames(this, weight, place);
  }

  /** The same, with one weight under another name. */
  public WeightNames with(WeightName weight, String name) {
    return with(weight, WeightPlace.named(name));
  }

  /** The same, with something done to one weight. */
  public WeightNames with(WeightName weight, UnaryOperator<WeightPlace> change) {
    return with(weight, change.apply(place(weight)));
  }

  /** The same, with a tensor for each expert's gate, up and down. */
  public WeightNames withExperts(String stem, String gate, String up, String down) {
    return with(WeightName.EXPERTS_GATE, WeightPlace.named(stem + gate + ".weight").ofExperts())
        .with(WeightName.EXPERTS_UP, WeightPlace.named(stem + up + ".weight").ofExperts())
        .with(WeightName.EXPERTS_DOWN, WeightPlace.named(stem + down + ".weight").ofExperts());
  }

  /**
   * The same, with all experts' gates and ups in one tensor, [experts, gate and up, in], and their
   * downs in another.
   *
   * @param width columns inside each
   */
  WeightNames withStackedExperts(String both, String down, long experts, long width, long in) {
    WeightPlace stacked = WeightPlace.named(both).shaped(experts, 2 * width, in);
    return with(
            WeightName.EXPERTS_GATE,
            stacked.rowsOfGroups(0, width, 2 * width).shaped(experts * width, in))
        .with(
            WeightName.EXPERTS_UP,
            stacked.rowsOfGroups(width, width, 2 * width).shaped(experts * width, in))
        .with(WeightName.EXPERTS_DOWN, down);
  }

  /** The same, if experts are stacked as transformers 5 has them in memory, and may write them. */
  WeightNames withExpertsInMemory(Hyperparameters settings, String stem, long width) {
    return settings.hasTensorEnding(STACKED)
        ? withStackedExperts(
            stem + STACKED,
            stem + ".experts.down_proj",
            settings.required("expert_count"),
            width,
            settings.width())
        : this;
  }

  /** The same, with queries, keys and values one after the other in a tensor. */
  public WeightNames withFusedAttention(String name, Heads heads) {
    return withFusedAttention(WeightPlace.named(name), heads);
  }

  /** The same, with queries, keys and values one after the other. */
  public WeightNames withFusedAttention(WeightPlace fused, Heads heads) {
    long keys = heads.queryColumns();
    long values = keys + heads.keyColumns();
    long total = values + heads.valueColumns();
    return with(WeightName.QUERY, fused.rows(0, total))
        .with(WeightName.KEY, fused.rows(keys, total))
        .with(WeightName.VALUE, fused.rows(values, total));
  }

  /**
   * The same, with queries, keys and values in a tensor, in groups: the queries of all heads that
   * share a key and a value, those after them, and the next group.
   */
  public WeightNames withGroupedAttention(String name, Heads heads) {
    WeightPlace fused = WeightPlace.named(name);
    long width = heads.keyWidth();
    long queries = heads.query() / heads.keyValue() * width;
    long group = queries + 2 * width;
    return with(WeightName.QUERY, fused.rowsOfGroups(0, queries, group))
        .with(WeightName.KEY, fused.rowsOfGroups(queries, width, group))
        .with(WeightName.VALUE, fused.rowsOfGroups(queries + width, width, group));
  }

  /** The same, with gate and up one after the other in a tensor. */
  public WeightNames withFusedGate(String name, long width) {
    WeightPlace fused = WeightPlace.named(name);
    return with(WeightName.GATE, fused.rows(0, 2 * width))
        .with(WeightName.UP, fused.rows(width, 2 * width));
  }

  /** The same, where a checkpoint may have tensors beside, whose names begin so. */
  public WeightNames ignoring(String... beginnings) {
    return new WeightNames(this, List.of(beginnings));
  }

  /** Whether nobody misses a tensor. */
  boolean ignores(String name) {
    return ignored.stream().anyMatch(name::startsWith);
  }

  /** A tensor's name, and what others may call it, with or without the prefix. */
  List<String> spellings(String name) {
    if (prefix.isEmpty()) {
      return List.of(name);
    }
    return List.of(name, name.startsWith(prefix) ? name.substring(prefix.length()) : prefix + name);
  }

  /** What a checkpoint may leave out of all names that begin with it. */
  String prefix() {
    return prefix;
  }

  boolean has(WeightName weight) {
    return places.containsKey(weight);
  }

  WeightPlace place(WeightName weight) {
    WeightPlace place = places.get(weight);
    if (place == null) {
      throw new IllegalArgumentException("no name for " + weight);
    }
    return place;
  }
}
