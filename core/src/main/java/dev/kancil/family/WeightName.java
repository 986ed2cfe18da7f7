package dev.kancil.family;

/** What a weight is for; formats and families spell the names differently. */
public enum WeightName {
  TOKEN_EMBEDDING,
  ATTENTION_NORM,
  QUERY,
  KEY,
  VALUE,
  QUERY_NORM,
  KEY_NORM,
  ATTENTION_OUTPUT,
  POST_ATTENTION_NORM,
  FEED_FORWARD_NORM,
  GATE,
  UP,
  DOWN,
  POST_FEED_FORWARD_NORM,
  ROPE_FACTORS,
  FINAL_NORM,
  OUTPUT
}
