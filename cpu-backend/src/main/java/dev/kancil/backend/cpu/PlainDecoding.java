package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Floating-point elements of 8, 16 and 32 bits. Any count: what fills no vector is decoded plainly.
 */
final class PlainDecoding {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Lanes.ORDER);

  private PlainDecoding() {}

  static void f32(MemorySegment source, long at, float[] target, int to, int elements) {
    MemorySegment.copy(source, FLOAT, at, target, to, elements);
  }

  static void f16(MemorySegment source, long at, float[] target, int to, int elements) {
    int i = 0;
    for (; i <= elements - LENGTH; i += LENGTH) {
      Lanes.halves(Lanes.patterns(source, at + 2L * i)).intoArray(target, to + i);
    }
    Blocks.decode(DataType.F16, source, at + 2L * i, target, to + i, elements - i);
  }

  static void bf16(MemorySegment source, long at, float[] target, int to, int elements) {
    int i = 0;
    for (; i <= elements - LENGTH; i += LENGTH) {
      Lanes.brainFloats(Lanes.patterns(source, at + 2L * i)).intoArray(target, to + i);
    }
    Blocks.decode(DataType.BF16, source, at + 2L * i, target, to + i, elements - i);
  }

  static void e4m3(MemorySegment source, long at, float[] target, int to, int elements) {
    int i = 0;
    for (; i <= elements - LENGTH; i += LENGTH) {
      Lanes.e4m3(source, at + i).intoArray(target, to + i);
    }
    Blocks.decode(DataType.F8_E4M3, source, at + i, target, to + i, elements - i);
  }
}
