package dev.kancil.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The example's kernel, without the JCuda around it, which needs a GPU's driver. */
class OwnKernelTest {
  @Test
  void theKernelComputesTheLengthOfAVector() {
    try (EmulatedDriver driver = new EmulatedDriver();
        Arena arena = Arena.ofShared()) {
      driver.makeCurrent(driver.retainContext(0));
      long length =
          driver.function(driver.loadModule(arena.allocateFrom(OwnKernel.KERNEL)), "length");
      long x = driver.allocate(12);
      long y = driver.allocate(4);
      driver.copyToDevice(x, MemorySegment.ofArray(new float[] {2, -3, 6}), 0);
      KernelArguments arguments =
          new KernelArguments(
              arena, List.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
      arguments.set(0, x);
      arguments.set(1, 3);
      arguments.set(2, y);
      driver.launch(length, 1, 1, 1, 1, 1, 1, 0, 0, arguments);
      float[] result = new float[1];
      driver.copyToHost(MemorySegment.ofArray(result), y, 0);
      assertThat(result).containsExactly(7);
    }
  }
}
