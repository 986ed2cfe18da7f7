package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Value;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Activations as halves or bfloats, and what makes them so: what {@code round_rows.h} writes.
 *
 * @param work which is to run before what takes them
 * @param numbers of each row, filled up to a multiple of 256 columns
 * @param inverses of each row, what its numbers are to be multiplied by
 */
record RoundedActivations(Work work, DeviceBuffer numbers, DeviceBuffer inverses) {
  /** The most tokens that a block of products takes, whatever its shape. */
  private static final int MOST_BLOCK_TOKENS = 256;

  private static final int NARROW = 256;
  private static final int WIDE = 512;

  /** Columns up to which blocks that round a row are narrow. */
  private static final int NARROW_COLUMNS = 8192;

  /**
   * Rounds rows for products with a matrix.
   *
   * @param parts rows of the product's columns that each row of x has, beside each other
   * @param y whose number of rows x has
   */
  static RoundedActivations of(
      ProductInput x, int parts, Factor factor, Value y, LaunchMaker maker, ProgramMemory program) {
    int columns = factor.matrix().columns();
    // Blocks read whole tiles of tokens, whatever lies behind the last.
    long padded = (long) program.limits().rows(x.like().type().rows()) * parts + MOST_BLOCK_TOKENS;
    long width = Math.ceilDiv(columns, 256) * 256L;
    DeviceBuffer numbers =
        program.rooms().room("rounded activations", padded * width * Short.BYTES);
    DeviceBuffer inverses = program.rooms().room("scales of activations", padded * Float.BYTES);
    int threads = columns <= NARROW_COLUMNS ? NARROW : WIDE;
    Map<String, String> defines = new HashMap<>(x.defines());
    defines.put("COLUMNS", String.valueOf(columns));
    defines.put("THREADS", String.valueOf(threads));
    defines.put("PARTS", String.valueOf(parts));
    if (factor.matrix().type() == DataType.BF16) {
      defines.put("BFLOATS", "");
    }
    List<Argument> arguments = new ArrayList<>(x.arguments());
    arguments.add(new Argument.Buffer(numbers));
    arguments.add(new Argument.Buffer(inverses));
    Grid grid = Grid.of(threads, rows -> (long) rows * parts);
    Work work = maker.launch("round_rows.h", "round_rows", defines, arguments, y, grid);
    return new RoundedActivations(work, numbers, inverses);
  }

  /** What kernels of products take first. */
  List<Argument> arguments() {
    return List.of(new Argument.Buffer(numbers), new Argument.Buffer(inverses));
  }
}
