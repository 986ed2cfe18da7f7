package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.backend.host.Lowering;
import dev.kancil.backend.host.Packing;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A weight as the Vector API multiplies it: groups of rows (experts, or all rows as one), each in
 * tiles of its own. What there is no tile for stays as the file has it, and is decoded by the
 * type's definition.
 *
 * @param form how quantised types lie; null for floats and for what stays
 * @param groupRows rows of a group
 * @param bytes of a tile, or of a row where the weight stays
 */
record VectorTiles(
    DataType type,
    @Nullable TileForm form,
    MemorySegment data,
    int columns,
    int groupRows,
    long bytes) {
  /**
   * What a thread needs meanwhile.
   *
   * @param floats scales and minimums, or a row that is decoded
   * @param integers {@link TileQuants#ROOM}
   */
  record Rooms(float[] floats, int[] integers) {}

  /** The most rows of x that any weight multiplies each for itself. */
  static final int MOST_SINGLES = 3;

  private static final int ROWS = TileForm.ROWS;

  /**
   * Lays a weight, unless that has been done for another node or program.
   *
   * @param groups of equally many rows that begin with a tile of their own
   */
  static VectorTiles of(Weight weight, int groups, Lowering.Operands operands) {
    DataType type = weight.type();
    int columns = Math.toIntExact(weight.shape().columns());
    int rows = Math.toIntExact(weight.shape().rows() / groups);
    MemorySegment data =
        isTiled(type, TileForm.of(type))
            ? operands.packed(weight, packing(type, columns, rows, groups))
            : operands.weight(weight).data();
    return of(type, data, columns, rows);
  }

  /** What has been laid already. */
  static VectorTiles of(DataType type, MemorySegment data, int columns, int groupRows) {
    TileForm form = TileForm.of(type);
    return new VectorTiles(type, form, data, columns, groupRows, bytes(type, columns));
  }

  private static boolean isTiled(DataType type, @Nullable TileForm form) {
    return form != null || FloatTiles.takes(type);
  }

  private static long bytes(DataType type, int columns) {
    TileForm form = TileForm.of(type);
    if (form != null) {
      return form.bytes(columns);
    }
    return FloatTiles.takes(type) ? FloatTiles.bytes(type, columns) : type.byteSize(columns);
  }

  /** How some groups of rows become tiles. */
  static Packing packing(DataType type, int columns, int rows, int groups) {
    return new Packing(
        groups,
        rows,
        type.byteSize(columns),
        ROWS,
        bytes(type, columns),
        (from, at, count, to, target) -> pack(type, from, at, columns, count, to, target));
  }

  private static void pack(
      DataType type,
      MemorySegment from,
      long at,
      int columns,
      int count,
      MemorySegment to,
      long target) {
    TileForm form = TileForm.of(type);
    TilePacking packing = form == null ? null : new TilePacking(type, form, columns);
    long bytes = bytes(type, columns);
    for (int i = 0; i < count; i++) {
      long row = at + i * type.byteSize(columns);
      long tile = target + i / ROWS * bytes;
      if (packing != null) {
        packing.pack(from, row, to, tile, i % ROWS);
      } else {
        FloatTiles.pack(type, from, row, columns, to, tile, i % ROWS);
      }
    }
  }

  /** Up to so many rows of x are multiplied each for itself, straight from the tiles. */
  int mostSingles() {
    return isTiled(type, form) ? MOST_SINGLES : 0;
  }

  private long tile(int group, int row) {
    return ((long) group * Math.ceilDiv(groupRows, ROWS) + row / ROWS) * bytes;
  }

  /**
   * {@code y[t] = rows · x[t]} for a vector of rows and few rows of x.
   *
   * @param row of the group, the first of the vector
   * @param xRow the first row of x, and {@code count} of them
   * @param few where what single products take of it is
   * @param y has the first products from {@code to} on, and {@code yStride} from there the next
   */
  void multiply(
      int group,
      int row,
      ProductRows x,
      int xRow,
      int few,
      int count,
      Rooms rooms,
      float[] y,
      int to,
      int yStride) {
    long at = tile(group, row);
    int part = row % ROWS;
    if (form == null) {
      for (int t = 0; t < count; t++) {
        int xAt = (xRow + t) * x.stride();
        FloatTiles.multiply(type, data, at, part, x.x(), xAt, columns, y, to + t * yStride);
      }
      return;
    }
    TileScales.unpack(form, data, at, part, columns, 0, columns, rooms.floats());
    for (int t = 0; t < count; t++) {
      begin(x, few + t, rooms.floats(), y, to + t * yStride);
    }
    long quants = at + form.quants(columns);
    if (form.quants() == TileForm.Quants.BYTES) {
      for (int t = 0; t < count; t++) {
        int xAt = (xRow + t) * x.stride();
        TileDots.bytes(
            data, quants + part, x.x(), xAt, rooms.floats(), columns, y, to + t * yStride);
      }
      return;
    }
    if (form.quants() == TileForm.Quants.NIBBLES) {
      for (int t = 0; t < count; t++) {
        int xAt = (few + t) * x.stride();
        TileDots.nibbles(
            data,
            quants + 4L * part,
            x.shifted(),
            xAt,
            rooms.floats(),
            columns,
            y,
            to + t * yStride);
      }
      return;
    }
    for (int first = 0; first < columns; first += TileQuants.COLUMNS) {
      int some = Math.min(TileQuants.COLUMNS, columns - first);
      unpackQuants(at, part, first, some, rooms);
      for (int t = 0; t < count; t++) {
        TileDots.integers(
            rooms.integers(),
            x.shifted(),
            (few + t) * x.stride() + first,
            rooms.floats(),
            first / form.scaleColumns() * LENGTH,
            form.scaleColumns(),
            some,
            y,
            to + t * yStride);
      }
    }
  }

  /** What minimums make of a row of x. */
  private void begin(ProductRows x, int few, float[] scales, float[] y, int to) {
    TileForm quantised = Objects.requireNonNull(form);
    if (quantised.hasOffsets()) {
      int sums = few * x.stride() / ProductRows.SUM;
      TileScales.offsets(quantised, scales, columns, x.sums(), sums, y, to);
    } else {
      Arrays.fill(y, to, to + LENGTH, 0);
    }
  }

  private void unpackQuants(long tile, int part, int first, int count, Rooms rooms) {
    TileForm quantised = Objects.requireNonNull(form);
    long at = tile + quantised.quants(columns) + 4L * part;
    long high = tile + quantised.highQuants(columns) + 4L * part;
    TileQuants.unpack(quantised.quants(), data, at, high, first, count, rooms.integers());
  }

  /**
   * Some columns of a vector of rows as float32.
   *
   * @param first column, and {@code count} of them: whole blocks
   * @param panel gets the rows of column {@code first + i} from {@code to + i · WIDTH} on
   */
  void decode(int group, int row, int first, int count, Rooms rooms, float[] panel, int to) {
    int part = row % ROWS;
    float[] floats = rooms.floats();
    if (!isTiled(type, form)) {
      decodeRows(group, row, first, count, floats, panel, to);
      return;
    }
    long at = tile(group, row);
    if (form == null) {
      FloatTiles.decode(type, data, at, part, columns, first, count, panel, to);
      return;
    }
    TileScales.unpack(form, data, at, part, columns, first, count, floats);
    if (form.quants() == TileForm.Quants.BYTES) {
      long quants = at + form.quants(columns) + part;
      TileDecoding.bytes(data, quants, floats, first, count, panel, to);
      return;
    }
    for (int begin = 0; begin < count; begin += TileQuants.COLUMNS) {
      int some = Math.min(TileQuants.COLUMNS, count - begin);
      unpackQuants(at, part, first + begin, some, rooms);
      TileDecoding.integers(
          rooms.integers(),
          floats,
          begin / form.scaleColumns() * LENGTH,
          TileScales.minimums(count),
          form.scaleColumns(),
          some,
          panel,
          to + begin * PackedTiles.WIDTH);
    }
  }

  private void decodeRows(
      int group, int row, int first, int count, float[] room, float[] panel, int to) {
    int rows = Math.min(LENGTH, groupRows - row);
    for (int i = 0; i < rows; i++) {
      long at = ((long) group * groupRows + row + i) * bytes + type.byteSize(first);
      Decoding.decode(type, data, at, room, 0, count);
      for (int k = 0; k < count; k++) {
        panel[to + k * PackedTiles.WIDTH + i] = room[k];
      }
    }
  }
}
