package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;

/** A panel of decoded weight rows times some or many rows of x. */
final class PanelProduct {
  /** Weight rows that are decoded together: up to 2048 columns, a panel is 128 KiB. */
  static final int PANEL_ROWS = 16;

  /** Up to so many rows of x are multiplied as they lie; more are packed first. */
  static final int FEW_ROWS = 6;

  private PanelProduct() {}

  static void reserve(Scratch scratch, int columns) {
    scratch.reserve(Scratch.Kind.PANEL, (long) PANEL_ROWS * Scratch.padded(columns));
    scratch.reserve(Scratch.Kind.PRODUCTS, products());
  }

  /** Products that wait for their epilogue. */
  static int products() {
    return Math.max(PackedTiles.WIDTH * PANEL_ROWS, Chunks.MOST_DOT_ROWS);
  }

  /** {@code results[i · PANEL_ROWS + p] = x[i] · panel[p]} for few rows. */
  static void multiplyFew(
      HostValue x, HostStep step, float[] panel, int stride, int panelRows, float[] results) {
    Tiles.multiply(
        x.data(step),
        0,
        x.type().rowBytes(),
        x.rows(step),
        panel,
        stride,
        Tiles.panelRows(panelRows),
        x.columns(),
        results,
        PANEL_ROWS);
  }
}
