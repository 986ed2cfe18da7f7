package dev.kancil.family;

import java.util.List;

/** What a weight is for; formats and families spell the names differently. */
public enum WeightName {
  TOKEN_EMBEDDING,
  POSITION_EMBEDDING,
  ATTENTION_NORM,
  QUERY,
  QUERY_LATENT,
  QUERY_LATENT_NORM,
  QUERY_TURNED,
  KEY,
  VALUE,
  KEY_TURNED,
  LATENT,
  LATENT_NORM,
  LATENT_KEY,
  LATENT_VALUE,
  QUERY_NORM,
  KEY_NORM,
  SINKS,
  ATTENTION_OUTPUT,
  POST_ATTENTION_NORM,
  FEED_FORWARD_NORM,
  GATE,
  UP,
  DOWN,
  ROUTER,
  ROUTER_CORRECTION,
  EXPERTS_GATE,
  EXPERTS_UP,
  EXPERTS_DOWN,
  SHARED_GATE,
  SHARED_UP,
  SHARED_DOWN,
  SHARED_SWITCH,
  POST_FEED_FORWARD_NORM,
  ROPE_FACTORS,
  ROPE_FACTORS_SHORT,
  ROPE_FACTORS_LONG,
  FINAL_NORM,
  OUTPUT;

  /** Weights of norms. */
  static final List<WeightName> NORMS =
      List.of(
          ATTENTION_NORM,
          QUERY_NORM,
          KEY_NORM,
          POST_ATTENTION_NORM,
          FEED_FORWARD_NORM,
          POST_FEED_FORWARD_NORM,
          FINAL_NORM);
}
