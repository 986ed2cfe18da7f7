package dev.kancil.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Text in columns. */
final class Table {
  private final List<String[]> rows = new ArrayList<>();

  Table(String... headings) {
    rows.add(headings);
  }

  void row(String... cells) {
    rows.add(cells);
  }

  void print(PrintStream target) {
    int columns = rows.getFirst().length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      Arrays.setAll(widths, i -> Math.max(widths[i], row[i].length()));
    }
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row[i]).repeat(' ', i + 1 < columns ? widths[i] - row[i].length() + 2 : 0);
      }
      target.println(line.toString().stripTrailing());
    }
  }

  /** A size as people read it. */
  static String bytes(long bytes) {
    return bytes < 1_000_000_000
        ? String.format(Locale.ROOT, "%.1f MB", bytes / 1e6)
        : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
  }
}
