package dev.kancil.backend.cuda;

import dev.kancil.UnfitDeviceException;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.tensor.DataType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How {@code mat_vec.h} divides its work: measured on an H200, where blocks of 16 warps, one for
 * each multiprocessor, with three pieces on their way in each warp (four of bfloats) were fastest,
 * and narrower ones where a row has too few chunks for so many warps.
 *
 * @param warps of a block, which share a row's chunks
 * @param slots pieces of each warp that are on their way
 * @param blocksPerUnit blocks of a multiprocessor
 * @param sharedBytes of a block
 */
record MatVecShape(int warps, int slots, int blocksPerUnit, int sharedBytes) {
  private static final int MOST_WARPS = 16;

  /** Rather than with fewer warps a row is multiplied in slices. */
  private static final int LEAST_WARPS = 4;

  private static final int MOST_SLOTS = 3;
  private static final int MOST_BFLOAT_SLOTS = 4;
  private static final int MOST_BLOCKS = 2;

  /** Columns of a slice are whole chunks of every format. */
  private static final int SLICE_COLUMNS = 256;

  /** Some of a row's columns, for which a block has room. */
  record Slice(int first, int columns, MatVecShape shape) {
    Map<String, String> defines(int rowColumns) {
      Map<String, String> defines = new HashMap<>(shape.defines());
      if (columns < rowColumns) {
        defines.put("COLUMNS", String.valueOf(columns));
        defines.put("ROW_COLUMNS", String.valueOf(rowColumns));
        defines.put("FIRST_COLUMN", String.valueOf(first));
      }
      return defines;
    }
  }

  /**
   * The shapes for matrices that share x: one, if a block has room for a row of x, else those of
   * equal slices of its columns.
   *
   * @throws UnfitDeviceException if a block has no room for the least slice
   */
  static List<Slice> slices(List<Factor> factors, CudaTraits traits) {
    int columns = factors.getFirst().matrix().columns();
    return slices(columns, factors.stream().map(Factor::format).toList(), traits);
  }

  static List<Slice> slices(int columns, List<TileFormat> formats, CudaTraits traits) {
    for (int count = 1; ; count++) {
      int width = count == 1 ? columns : wholeChunks(Math.ceilDiv(columns, count));
      Optional<MatVecShape> shape = of(formats, width, traits);
      if (shape.isPresent()) {
        return IntStream.iterate(0, first -> first < columns, first -> first + width)
            .mapToObj(
                first -> new Slice(first, Math.min(width, columns - first), shape.orElseThrow()))
            .toList();
      }
      if (width <= SLICE_COLUMNS) {
        throw new UnfitDeviceException(
            "this device's blocks, of %d KiB of shared memory, have no room for products with %s"
                .formatted(
                    traits.sharedBytesPerBlock() >> 10,
                    formats.stream()
                        .map(format -> format.type().name())
                        .distinct()
                        .collect(Collectors.joining(" and "))));
      }
    }
  }

  private static int wholeChunks(int columns) {
    return Math.ceilDiv(columns, SLICE_COLUMNS) * SLICE_COLUMNS;
  }

  private static Optional<MatVecShape> of(
      List<TileFormat> formats, int columns, CudaTraits traits) {
    int pieces =
        formats.stream()
            .mapToInt(format -> Math.ceilDiv(format.chunks(columns), format.chunksAtOnce()))
            .max()
            .orElseThrow();
    int warps = Math.clamp(Integer.highestOneBit(pieces), 1, MOST_WARPS);
    int slotBytes =
        formats.stream()
            .mapToInt(format -> format.chunksAtOnce() * format.chunkBytes())
            .max()
            .orElseThrow();
    boolean isBfloat = formats.getFirst().type() == DataType.BF16;
    int activations = activationBytes(columns, isBfloat);
    for (int slots = isBfloat ? MOST_BFLOAT_SLOTS : MOST_SLOTS; slots >= 1; slots--) {
      for (int tried = warps; tried >= Math.min(warps, LEAST_WARPS); tried /= 2) {
        int shared = activations + tried * slots * slotBytes;
        int declared = turns(tried) * formats.size() * tried * TileFormat.ROWS * Float.BYTES;
        if (shared + declared <= traits.sharedBytesPerBlock()) {
          // A multiprocessor has what the largest block can have, and its blocks a KiB each beside
          // it.
          int fit = (traits.sharedBytesPerBlock() + 1024) / (shared + declared + 1024);
          int blocks = Math.clamp(Math.min(fit, MOST_WARPS / tried), 1, MOST_BLOCKS);
          return Optional.of(new MatVecShape(tried, slots, blocks, shared));
        }
      }
    }
    return Optional.empty();
  }

  /** Rooms for warps' sums. */
  private static int turns(int warps) {
    return Math.min(warps, 7) + 1;
  }

  /** x as fragments, then sums of 16 columns as fragments, then sums of 32. */
  private static int activationBytes(int columns, boolean isBfloat) {
    int padded = Math.ceilDiv(columns, 256) * 256;
    return padded * (isBfloat ? 8 : 4) + padded / 4 + padded / 8;
  }

  Map<String, String> defines() {
    return Map.of(
        "WARPS",
        String.valueOf(warps),
        "SLOTS",
        String.valueOf(slots),
        "BLOCKS_PER_UNIT",
        String.valueOf(blocksPerUnit));
  }

  /** Blocks of a launch that go through so many tiles. */
  int blocks(int tiles, CudaTraits traits) {
    return Math.max(1, Math.min(tiles, traits.units() * blocksPerUnit));
  }

  /**
   * @param parts launches of each row
   */
  Grid grid(int blocks, int parts) {
    return new Grid(
        new long[] {32L * warps, 1},
        (rows, groups) -> {
          groups[0] = blocks;
          groups[1] = (long) rows * parts;
        },
        sharedBytes);
  }
}
