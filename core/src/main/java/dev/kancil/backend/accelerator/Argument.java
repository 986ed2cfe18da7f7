package dev.kancil.backend.accelerator;

import dev.kancil.graph.StateSlot;

/** What a kernel takes. */
public sealed interface Argument {
  /** Memory of the program's own. */
  record Buffer(DeviceBuffer buffer) implements Argument {}

  /** A matrix, all or much of which the kernel reads. */
  record Weights(DeviceBuffer buffer) implements Argument {}

  /** Two arguments: the counts of the step, and which of them is the launch's. */
  record Counts() implements Argument {}

  /** 32 bits. */
  record Whole(int value) implements Argument {}

  /** 64 bits. */
  record Offset(long value) implements Argument {}

  /** A float32. */
  record Real(float value) implements Argument {}

  /** All pages of a layer's keys. */
  record Keys(StateSlot slot) implements Argument {}

  /** All pages of a layer's values. */
  record Values(StateSlot slot) implements Argument {}

  /** The page tables of a group, all sequences of the batch one after the other. */
  record Tables(StateSlot slot) implements Argument {}
}
