package dev.kancil.backend.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackingTest {
  private static final int TILE_ROWS = 16;

  @TempDir Path folder;

  /** Rows of bytes become tiles of columns, with a byte behind each tile. */
  private static Packing turning(int groups, int rows, int rowBytes, AtomicLong laidRows) {
    long tileBytes = (long) TILE_ROWS * rowBytes + 1;
    return new Packing(
        groups,
        rows,
        rowBytes,
        TILE_ROWS,
        tileBytes,
        (from, at, count, to, target) -> {
          laidRows.addAndGet(count);
          for (int row = 0; row < count; row++) {
            for (int i = 0; i < rowBytes; i++) {
              byte value = from.get(ValueLayout.JAVA_BYTE, at + (long) row * rowBytes + i);
              long tile = target + row / TILE_ROWS * tileBytes;
              to.set(ValueLayout.JAVA_BYTE, tile + i * TILE_ROWS + row % TILE_ROWS, value);
            }
          }
        });
  }

  private void everyRowFindsItsLane(int groups, int rows, int rowBytes) throws IOException {
    byte[] bytes = new byte[groups * rows * rowBytes];
    new Random(1).nextBytes(bytes);
    Path file = Files.write(folder.resolve(rows + ".bin"), bytes);
    try (Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(file)) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length, arena);
      AtomicLong laidRows = new AtomicLong();
      Packing packing = turning(groups, rows, rowBytes, laidRows);
      MemorySegment to = arena.allocate(packing.bytes());
      packing.pack(mapped, to);

      assertThat(laidRows).hasValue((long) groups * rows);
      long tiles = Math.ceilDiv(rows, TILE_ROWS);
      assertThat(to.byteSize()).isEqualTo(groups * tiles * ((long) TILE_ROWS * rowBytes + 1));
      for (int i = 0; i < bytes.length; i++) {
        int row = i / rowBytes % rows;
        long tile = (long) i / rowBytes / rows * tiles + row / TILE_ROWS;
        long tileBytes = (long) TILE_ROWS * rowBytes + 1;
        long at = tile * tileBytes + i % rowBytes * TILE_ROWS + row % TILE_ROWS;
        assertThat(to.get(ValueLayout.JAVA_BYTE, at)).isEqualTo(bytes[i]);
      }
      assertThat(mapped.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes);
    }
  }

  @Test
  void everyRowFindsItsLaneWhateverTheNumberOfRowsAndGroupsIs() throws IOException {
    everyRowFindsItsLane(1, 1, 3);
    everyRowFindsItsLane(3, 17, 5);
    everyRowFindsItsLane(5, 128, 7);
    everyRowFindsItsLane(2, 2_500, 11);
  }
}
