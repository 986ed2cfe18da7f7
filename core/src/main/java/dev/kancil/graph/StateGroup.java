package dev.kancil.graph;

import dev.kancil.tensor.DataType;

/**
 * Layers whose cached keys and values have the same widths, element types and lifetime, and which
 * therefore share one page table.
 *
 * @param layers how many
 * @param keyColumns elements of one token's keys in one layer: KV heads × key width
 * @param valueColumns the same for values
 * @param keyType how keys are stored
 * @param valueType how values are stored
 * @param window how many of the last positions a query can see, itself included; 0: all. Pages that
 *     lie wholly before every window still to come are given back
 * @param isOfSource whether attention to them sees those of the sequence's source, as {@code
 *     Batch.readsFrom} says, and not its own
 */
public record StateGroup(
    int layers,
    int keyColumns,
    int valueColumns,
    DataType keyType,
    DataType valueType,
    int window,
    boolean isOfSource) {
  public StateGroup {
    if (layers < 1 || keyColumns < 1 || valueColumns < 1 || window < 0) {
      throw new IllegalArgumentException(
          "layers " + layers + ", K " + keyColumns + ", V " + valueColumns + ", window " + window);
    }
    keyType.byteSize(keyColumns);
    valueType.byteSize(valueColumns);
  }

  /** Of the sequence itself. */
  public StateGroup(
      int layers,
      int keyColumns,
      int valueColumns,
      DataType keyType,
      DataType valueType,
      int window) {
    this(layers, keyColumns, valueColumns, keyType, valueType, window, false);
  }

  /** The same with so many layers. */
  public StateGroup withLayers(int count) {
    return new StateGroup(count, keyColumns, valueColumns, keyType, valueType, window, isOfSource);
  }

  /** Bytes that one token takes in one layer. */
  public long tokenBytes() {
    return keyType.byteSize(keyColumns) + valueType.byteSize(valueColumns);
  }
}
