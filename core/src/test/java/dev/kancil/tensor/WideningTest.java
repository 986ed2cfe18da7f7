package dev.kancil.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
    for (int at = 0; at < bytes.length; at += type.blockBytes()) {
      switch (type) {
        // An odd number of units in the last place, and still a half when it is divided by 8.
        case IQ1_S, IQ3_XXS -> data.set(Blocks.SHORT, at, (short) (0x1001 + 2 * at));
        case IQ1_M ->
            data.set(
                ValueLayout.JAVA_BYTE,
                at + 55,
                (byte) (0x30 | data.get(ValueLayout.JAVA_BYTE, at + 55) & 15));
        default -> {}
      }
    }
    return new Tensor(type, Shape.of(rows, columns), data);
  }

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"NVFP4", "TQ1_0", "TQ2_0", "IQ1_S", "IQ1_M", "IQ3_XXS", "IQ3_S"})
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

  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {"IQ1_S", "IQ3_XXS"})
  void soDoesAScaleWhosePartIsNoHalf(DataType type) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor tensor = random(type, 5, arena);
      tensor.data().set(Blocks.SHORT, 7L * type.blockBytes(), (short) 0x0401);
      assertThat(Widening.widen(tensor, arena)).isEqualTo(Optional.empty());
    }
  }

  @Test
  void typesThatAreTheirOwnOrThatNoneHoldsStayToo() {
    try (Arena arena = Arena.ofConfined()) {
      for (DataType type :
          new DataType[] {DataType.Q4_K, DataType.Q2_K, DataType.IQ2_S, DataType.Q8_K}) {
        assertThat(Widening.of(type)).isNull();
        assertThat(Widening.widen(random(type, 1, arena), arena)).isEmpty();
      }
    }
  }
}
