package dev.kancil.format.gguf;

import dev.kancil.KancilException;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What every input must survive: reading it all, or one clear error. */
final class GgufReading {
  private GgufReading() {}

  /** Whether bytes are read as a GGUF file; any other end than reading or refusing is thrown. */
  static boolean readsOrRefuses(byte[] bytes) {
    try {
      GgufHeader header = GgufHeader.read("fuzzed", MemorySegment.ofArray(bytes));
      header.tensors().values().forEach(GgufReading::touch);
      for (String key : header.metadata().keys()) {
        if (header.metadata().value(key).isEmpty()) {
          throw new AssertionError("no value for the key " + key);
        }
      }
      return true;
    } catch (KancilException e) {
      if (!String.valueOf(e.getMessage()).startsWith("fuzzed: ")) {
        throw new AssertionError("an error that does not name the file", e);
      }
      return false;
    }
  }

  /** Reads the first and last byte of a tensor. */
  static void touch(Tensor tensor) {
    if (tensor.data().byteSize() > 0) {
      tensor.data().get(ValueLayout.JAVA_BYTE, 0);
      tensor.data().get(ValueLayout.JAVA_BYTE, tensor.data().byteSize() - 1);
    }
  }
}
