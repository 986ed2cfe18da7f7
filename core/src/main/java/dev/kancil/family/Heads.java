package dev.kancil.family;

/**
 * Heads of an attention.
 *
 * @param query how many have queries
 * @param keyValue how many have keys and values, each shared by as many queries' heads
 * @param keyWidth columns of a query or key
 * @param valueWidth columns of a value
 */
public record Heads(int query, int keyValue, int keyWidth, int valueWidth) {
  int queryColumns() {
    return Math.multiplyExact(query, keyWidth);
  }

  int keyColumns() {
    return Math.multiplyExact(keyValue, keyWidth);
  }

  int valueColumns() {
    return Math.multiplyExact(keyValue, valueWidth);
  }

  int outputColumns() {
    return Math.multiplyExact(query, valueWidth);
  }
}
