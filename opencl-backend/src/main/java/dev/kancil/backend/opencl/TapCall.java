package dev.kancil.backend.opencl;

import dev.kancil.graph.op.TapFunction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jocl.cl_command_queue;

/** A tap: the device finishes, the function sees and may change a value, the device goes on. */
record TapCall(
    TapFunction function,
    Memory memory,
    DeviceBuffer x,
    DeviceBuffer y,
    int columns,
    boolean perOutput)
    implements Work {

  @Override
  public void bind(OpenClState state, StepInputs inputs) {}

  @Override
  public void enqueue(cl_command_queue queue, int tokens, int outputs) {
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
