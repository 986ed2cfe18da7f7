package dev.kancil.backend.accelerator;

import dev.kancil.graph.op.TapFunction;

/** A tap: the function sees and may change a value, before the device goes on. */
public record TapCall(
    TapFunction function,
    DeviceMemory memory,
    DeviceBuffer x,
    DeviceBuffer y,
    int columns,
    boolean perOutput)
    implements Work {

  @Override
  public void bind(AcceleratorState state, StepInputs inputs) {}

  @Override
  public void enqueue(int tokens, int outputs) {
    memory.tap(function, x, y, perOutput ? outputs : tokens, columns);
  }
}
