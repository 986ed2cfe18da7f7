package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** How fast the device reads its memory: a kernel adds up much more of it than any cache holds. */
final class ReadSpeed {
  private static final long MOST_BYTES = 8L << 30;
  private static final int THREADS = 512;
  private static final int BLOCKS_PER_UNIT = 4;
  private static final int REPETITIONS = 5;
  private static final byte FILLING = 1;

  private ReadSpeed() {}

  static long kernel(CudaKernels kernels) {
    return kernels.kernel("read_speed.h", "read_speed", Map.of());
  }

  /** Bytes a second, the median of some runs. */
  static double measure(CudaMemory memory, CudaKernels kernels, CudaTraits traits) {
    CudaDriver driver = memory.driver();
    long bytes = Math.min(MOST_BYTES, driver.freeBytes() / 2) / 16 * 16;
    long kernel = kernel(kernels);
    try (DeviceBuffer read = memory.allocate(bytes, "what is read");
        DeviceBuffer sum = memory.allocate(Integer.BYTES, "a sum");
        Arena arena = Arena.ofConfined()) {
      long stream = memory.stream();
      driver.fill(CudaBuffer.address(read), FILLING, bytes, stream);
      driver.fill(CudaBuffer.address(sum), (byte) 0, Integer.BYTES, stream);
      KernelArguments arguments =
          new KernelArguments(
              arena, List.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
      arguments.set(0, CudaBuffer.address(read));
      arguments.set(1, bytes / 16);
      arguments.set(2, CudaBuffer.address(sum));
      double[] milliseconds = new double[REPETITIONS];
      for (int i = 0; i < REPETITIONS; i++) {
        milliseconds[i] =
            memory.milliseconds(
                () ->
                    driver.launch(
                        kernel,
                        traits.units() * BLOCKS_PER_UNIT,
                        1,
                        1,
                        THREADS,
                        1,
                        1,
                        0,
                        stream,
                        arguments));
      }
      MemorySegment found = arena.allocate(ValueLayout.JAVA_INT);
      memory.read(sum, 0, found);
      int expected = (int) (REPETITIONS * (bytes / Integer.BYTES)) * (FILLING * 0x01010101);
      if (found.get(ValueLayout.JAVA_INT, 0) != expected) {
        throw new DeviceException(memory.deviceName() + " did not read all of its memory");
      }
      Arrays.sort(milliseconds);
      return bytes / milliseconds[REPETITIONS / 2] * 1e3;
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }
}
