package dev.kancil.engine;

import dev.kancil.family.Encoder;
import dev.kancil.tensor.FloatArray;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/** Gathers what texts or images give: rows of each, or one row. */
final class CollectedArrays {
  /** Of which a row is a number. */
  private static final Set<String> NUMBERS = Set.of(Encoder.START_LOGITS, Encoder.END_LOGITS);

  private final SequencedMap<String, FloatArray> arrays = new LinkedHashMap<>();
  private final int count;
  private final int rows;

  /**
   * @param count how many texts or images there are
   * @param rows how many rows each has
   */
  CollectedArrays(int count, int rows) {
    this.count = count;
    this.rows = rows;
  }

  /** For texts of these ids. */
  CollectedArrays(int[][] ids) {
    this(ids.length, ids[0].length);
  }

  /** All that was gathered, which others may add to. */
  SequencedMap<String, FloatArray> arrays() {
    return arrays;
  }

  /** Rows of a text, which lie where its tokens do. */
  void rows(int text, TextRow of, Map<String, float[][]> outputs) {
    rows(text, of.indexes(), outputs);
  }

  /**
   * Rows.
   *
   * @param indexes where each goes; empty: one after the other
   */
  void rows(int index, int[] indexes, Map<String, float[][]> outputs) {
    outputs.forEach(
        (name, found) -> {
          int columns = found.length == 0 ? 0 : found[0].length;
          FloatArray array =
              arrays.computeIfAbsent(
                  name,
                  _ ->
                      NUMBERS.contains(name)
                          ? FloatArray.zeros(count, rows)
                          : FloatArray.zeros(count, rows, columns));
          for (int row = 0; row < found.length; row++) {
            int at = indexes.length == 0 ? row : indexes[row];
            System.arraycopy(found[row], 0, array.values(), (index * rows + at) * columns, columns);
          }
        });
  }

  /** One row of each name. */
  void single(int index, Map<String, float[]> outputs) {
    outputs.forEach(
        (name, row) -> {
          FloatArray array = arrays.computeIfAbsent(name, _ -> FloatArray.zeros(count, row.length));
          System.arraycopy(row, 0, array.values(), index * row.length, row.length);
        });
  }
}
