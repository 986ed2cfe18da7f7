package dev.kancil.graph;

/**
 * Where a layer keeps its keys and values.
 *
 * @param group index into {@link StateLayout#groups}
 * @param layer index among the layers of that group
 */
public record StateSlot(int group, int layer) {}
