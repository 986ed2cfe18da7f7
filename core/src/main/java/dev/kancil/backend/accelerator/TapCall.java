package dev.kancil.backend.accelerator;

import dev.kancil.graph.op.TapFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A tap: the device finishes, the function sees and may change a value, the device goes on. */
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
    int rows = perOutput ? outputs : tokens;
    long bytes = (long) rows * columns * Float.BYTES;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(bytes, 64);
      if (rows > 0) {
        memory.read(x, 0, data);
      }
      function.apply(data, rows, columns);
      memory.write(y, 0, data);
    }
  }
}
