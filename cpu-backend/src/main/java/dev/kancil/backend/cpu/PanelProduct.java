package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;

/** A panel of decoded weight rows times a block of rows of x. */
final class PanelProduct {
  /** Weight rows that are decoded together: up to 2048 columns, a panel is 128 KiB. */
  static final int PANEL_ROWS = 16;

  /** Rows of x that meet a panel before their products are stored. */
  static final int ROWS = 32;

  private PanelProduct() {}

  static void reserve(Scratch scratch, int columns) {
    scratch.reserve(Scratch.Kind.PANEL, (long) PANEL_ROWS * Lanes.padded(columns));
    scratch.reserve(Scratch.Kind.PRODUCTS, Math.max(ROWS * PANEL_ROWS, Chunks.MOST_DOT_ROWS));
  }

  /** {@code results[i · PANEL_ROWS + p] = x[row + i] · panel[p]}. */
  static void multiply(
      HostValue x,
      HostStep step,
      int row,
      int rows,
      float[] panel,
      int stride,
      int panelRows,
      float[] results) {
    long rowBytes = x.type().rowBytes();
    Tiles.multiply(
        x.data(step),
        row * rowBytes,
        rowBytes,
        rows,
        panel,
        stride,
        Tiles.panelRows(panelRows),
        x.columns(),
        results,
        PANEL_ROWS);
  }
}
