package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlotTilesTest {
  /** Tiles as {@code mat_mul} takes them. */
  private record Tile(int expert, int first, int count) {}

  private record Sorted(List<Tile> tiles, int[] order) {}

  @TempDir Path folder;

  /** What the kernel makes of ids, on the emulated device, which sees races. */
  private Sorted sort(SlotTiles slots, int tileSlots, int[] ids) {
    int rows = ids.length / slots.used();
    CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    DeviceDescription description =
        new DeviceDescription("cuda:emulated", "emulated", "", 1 << 30, null);
    BinaryCache cache = new BinaryCache(folder, "a test");
    long most = 1 + slots.most(rows, tileSlots);
    try (CudaMemory memory = new CudaMemory(driver, 0, description);
        CudaKernels kernels =
            new CudaKernels(memory, RequiredNvrtc.find(), "compute_80", cache, null);
        DeviceBuffer given = memory.allocate(4L * ids.length, "ids");
        DeviceBuffer counts = memory.allocate(4, "counts");
        DeviceBuffer tiles = memory.allocate(16 * most, "tiles");
        DeviceBuffer order = memory.allocate(4L * ids.length, "order");
        Arena arena = Arena.ofConfined()) {
      memory.write(given, 0, arena.allocateFrom(ValueLayout.JAVA_INT, ids));
      memory.write(counts, 0, arena.allocateFrom(ValueLayout.JAVA_INT, rows));
      Map<String, String> defines =
          Map.of("EXPERTS", "" + slots.experts(), "WARPS", "" + slots.warps());
      long kernel = kernels.kernel("moe_slots.h", "moe_slots", defines);
      ValueLayout.OfLong pointer = ValueLayout.JAVA_LONG;
      ValueLayout.OfInt whole = ValueLayout.JAVA_INT;
      KernelArguments arguments =
          new KernelArguments(
              arena, List.of(pointer, pointer, pointer, whole, whole, pointer, whole));
      arguments.set(0, CudaBuffer.address(given));
      arguments.set(1, CudaBuffer.address(tiles));
      arguments.set(2, CudaBuffer.address(order));
      arguments.set(3, slots.used());
      arguments.set(4, tileSlots);
      arguments.set(5, CudaBuffer.address(counts));
      arguments.set(6, 0);
      int threads = 32 * slots.warps();
      driver.launch(kernel, 1, 1, 1, threads, 1, 1, 0, memory.stream(), arguments);
      int[] numbers = read(memory, tiles, arena);
      List<Tile> found =
          IntStream.rangeClosed(1, numbers[0])
              .mapToObj(i -> new Tile(numbers[4 * i], numbers[4 * i + 1], numbers[4 * i + 2]))
              .toList();
      return new Sorted(found, read(memory, order, arena));
    }
  }

  private static int[] read(CudaMemory memory, DeviceBuffer buffer, Arena arena) {
    MemorySegment data = arena.allocate(buffer.bytes());
    memory.read(buffer, 0, data);
    return data.toArray(ValueLayout.JAVA_INT);
  }

  private void requireSorted(SlotTiles slots, int rows, int tileSlots, IntUnaryOperator id) {
    int[] ids = IntStream.range(0, rows * slots.used()).map(id).toArray();
    Sorted sorted = sort(slots, tileSlots, ids);
    int[] experts = Arrays.stream(ids).map(i -> Math.clamp(i, 0, slots.experts() - 1)).toArray();
    int[] expected =
        IntStream.range(0, ids.length)
            .boxed()
            .sorted((a, b) -> Integer.compare(experts[a], experts[b]))
            .mapToInt(i -> i)
            .toArray();
    assertThat(sorted.order).isEqualTo(expected);
    int next = 0;
    for (Tile tile : sorted.tiles) {
      assertThat(tile.first).isEqualTo(next);
      assertThat(tile.count).isBetween(1, tileSlots);
      for (int i = 0; i < tile.count; i++) {
        assertThat(experts[expected[next++]]).isEqualTo(tile.expert);
      }
      // Only an expert's last tile may have room left.
      boolean isLast = next == expected.length || experts[expected[next]] != tile.expert;
      assertThat(isLast || tile.count == tileSlots).isTrue();
    }
    assertThat(next).isEqualTo(expected.length);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "1, 1, 200", "3, 2, 151", "8, 2, 1", "60, 8, 33", "128, 8, 130"})
  void slotsAreSortedByExpertAndInTheirOrder(int experts, int used, int rows) {
    SlotTiles slots = new SlotTiles(experts, used);
    SplittableRandom random = new SplittableRandom(7);
    int[] ids = random.ints((long) rows * used, 0, experts).toArray();
    for (int tileSlots : new int[] {32, 128}) {
      requireSorted(slots, rows, tileSlots, slot -> ids[slot]);
    }
  }

  @Test
  void expertsMayHaveAllSlotsOrNoneAndIdsMayBeNoExperts() {
    SlotTiles slots = new SlotTiles(257, 4);
    requireSorted(slots, 90, 32, _ -> 256);
    requireSorted(slots, 90, 64, _ -> 31);
    requireSorted(slots, 33, 32, slot -> slot % 2 == 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE);
    requireSorted(new SlotTiles(SlotTiles.MOST_EXPERTS, 3), 50, 16, slot -> 37 * slot % 2048);
    // As heads have them: each row all, in their order.
    requireSorted(new SlotTiles(16, 16), 70, 128, slot -> slot % 16);
  }

  /** Grids are made for as many tiles. */
  @Test
  void noStepNeedsMoreTilesThanAreReckonedWith() {
    for (int rows = 1; rows < 40; rows++) {
      for (int tileSlots : new int[] {2, 3, 8}) {
        SlotTiles slots = new SlotTiles(5, 3);
        // As many experts as there may be have one slot each, but one that has all others.
        int with = Math.min(5, 3 * rows);
        int others = 3 * rows - with;
        assertThat(slots.most(rows, tileSlots))
            .isGreaterThanOrEqualTo(with - 1 + Math.ceilDiv(1 + others, tileSlots));
        assertThat(slots.most(rows, tileSlots)).isLessThanOrEqualTo(with + others / tileSlots);
      }
    }
  }

  @Test
  void stepsOfFewSlotsForEachExpertAreThoseOfFewRows() {
    // All rows use all experts.
    assertThat(new SlotTiles(16, 16).mostRows(2)).isEqualTo(2);
    assertThat(new SlotTiles(1, 1).mostRows(16)).isEqualTo(16);
    // Mixtral: 12 slots are of 6.6 of 8 experts, 14 of 6.9.
    assertThat(new SlotTiles(8, 2).mostRows(2)).isEqualTo(6);
    // Qwen 3 30B: 208 slots are of 104 of 128 experts.
    assertThat(new SlotTiles(128, 8).mostRows(2)).isEqualTo(26);
    assertThat(new SlotTiles(128, 8).mostRows(16)).isEqualTo(255);
  }
}
