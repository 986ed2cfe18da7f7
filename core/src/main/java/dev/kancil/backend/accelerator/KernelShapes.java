package dev.kancil.backend.accelerator;

import java.util.Map;

/**
 * How kernels that all accelerators share divide their work.
 *
 * @param lanes the most items that share a row, a power of two; 1 where an item's vectors do
 * @param routeLanes the most items that choose a row's experts, a power of two
 * @param sampleLanes items that share a row of logits, a power of two
 * @param sampleParts work-groups that share the search for a row's largest logit; 1 if the
 *     work-group that samples does it
 * @param vector the most elements that one item turns or copies at once, a power of two
 * @param defines what all of them are compiled with
 */
public record KernelShapes(
    int lanes,
    int routeLanes,
    int sampleLanes,
    int sampleParts,
    int vector,
    Map<String, String> defines) {
  /** Items for a row of so many columns. */
  int lanes(int columns) {
    // Kernels with one lane are made for items with vectors of their own.
    return lanes == 1 ? 1 : Math.clamp(Integer.highestOneBit(columns), 2, lanes);
  }
}
