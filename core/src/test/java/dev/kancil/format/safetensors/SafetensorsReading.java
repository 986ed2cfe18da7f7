package dev.kancil.format.safetensors;

import dev.kancil.KancilException;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** Reads bytes from strangers: all that a file that is not refused holds can be touched. */
final class SafetensorsReading {
  private SafetensorsReading() {}

  static void readsOrRefuses(byte[] bytes) {
    try (SafetensorsFile file =
        SafetensorsFile.inMemory(Path.of("any.safetensors"), MemorySegment.ofArray(bytes))) {
      long sum = 0;
      for (Tensor tensor : file.tensors().values()) {
        for (long at = 0; at < tensor.data().byteSize(); at++) {
          sum += tensor.data().get(ValueLayout.JAVA_BYTE, at);
        }
      }
      if (sum == Long.MIN_VALUE) {
        throw new AssertionError("no bytes add up to that");
      }
    } catch (KancilException e) {
      if (String.valueOf(e.getMessage()).lines().count() != 1) {
        throw new AssertionError("not one line: " + e.getMessage(), e);
      }
    }
  }
}
