package dev.kancil.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WideningTest {
  private static Tensor random(DataType type, int rows, Arena arena) {
    int columns = 3 * type.blockElements();
    byte[] bytes = new byte[Math.toIntExact(type.byteSize((long) rows * columns))];
    new Random(type.name().hashCode()).nextBytes(bytes);
    MemorySegment data = arena.allocate(bytes.length, 2);
    data.copyFrom(MemorySegment.ofArray(bytes));
    return new Tensor(type, Shape.of(rows, columns), data);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"NVFP4", "TQ1_0", "TQ2_0"})
  void everyElementStaysWhatItWas(DataType type) {
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      for (Arena arena : List.of(confined, shared)) {
        // Any bits are blocks, scales that are no numbers included.
        Tensor tensor = random(type, 37, arena);
        Tensor wide = Widening.widen(tensor, arena).orElseThrow();
        assertThat(wide.type()).isEqualTo(Widening.of(type));
        assertThat(wide.shape()).isEqualTo(tensor.shape());
        assertThat(Blocks.decode(wide)).containsExactly(Blocks.decode(tensor));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"TQ1_0", "TQ2_0"})
  void anInfiniteScaleStaysWhereItIs(DataType type) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor tensor = random(type, 5, arena);
      tensor.data().set(Blocks.SHORT, 8L * type.blockBytes() - 2, (short) 0x7c00);
      assertThat(Widening.widen(tensor, arena)).isEqualTo(Optional.empty());
    }
  }

  @Test
  void typesThatAreTheirOwnOrThatNoneHoldsStayToo() {
    try (Arena arena = Arena.ofConfined()) {
      for (DataType type :
          new DataType[] {DataType.Q4_K, DataType.Q2_K, DataType.IQ3_S, DataType.Q8_K}) {
        assertThat(Widening.of(type)).isNull();
        assertThat(Widening.widen(random(type, 1, arena), arena)).isEmpty();
      }
    }
  }
}
