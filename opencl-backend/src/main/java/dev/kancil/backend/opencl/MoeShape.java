package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.opencl.ProductShape.Few;
import java.util.Map;

/**
 * How work-items divide the products of experts, as {@link ProductShape} does for others: tiles are
 * smaller, since a prompt leaves each expert some of its tokens only.
 *
 * @param few of few rows, in {@code moe_mat_vec.cl}
 * @param many of many, in {@code moe_mat_mul.cl}
 * @param sortItems items that sort slots, at most
 */
record MoeShape(Few few, Many many, int sortItems) {
  /**
   * @param rowItems items of a work-group beside each other
   * @param slotItems items of a work-group one after the other
   * @param vector rows in a vector
   * @param rowVectors vectors of rows that an item has
   * @param slotsPerItem slots of which an item keeps sums at once
   * @param slotParts how many times so many it does in turn
   * @param depth columns that are decoded at a time
   */
  record Many(
      int rowItems,
      int slotItems,
      int vector,
      int rowVectors,
      int slotsPerItem,
      int slotParts,
      int depth) {
    Map<String, String> defines() {
      return Map.of(
          "ROW_ITEMS", String.valueOf(rowItems),
          "SLOT_ITEMS", String.valueOf(slotItems),
          "VECTOR", String.valueOf(vector),
          "ROW_VECTORS", String.valueOf(rowVectors),
          "SLOTS_PER_ITEM", String.valueOf(slotsPerItem),
          "SLOT_PARTS", String.valueOf(slotParts),
          "DEPTH", String.valueOf(depth));
    }

    /** Slots of one expert that a work-group has. */
    int tileSlots() {
      return slotItems * slotsPerItem * slotParts;
    }

    /** The most tiles that a step can need, as {@code moe_slots.cl} counts them, too. */
    long tiles(int experts, long slots) {
      return slots / tileSlots() + Math.min(experts, slots);
    }

    Grid grid(int out, int used, int experts) {
      long rowGroups = Math.ceilDiv(out, rowItems * rowVectors * vector);
      return new Grid(
          new long[] {rowItems, slotItems},
          (rows, groups) -> {
            groups[0] = rowGroups;
            groups[1] = tiles(experts, (long) rows * used);
          });
    }
  }

  static MoeShape of(ClDevice device) {
    if (!device.isProcessor()) {
      return new MoeShape(new Few(32, 4, 1), new Many(16, 16, 4, 1, 2, 1, 32), 128);
    }
    int vector = device.floatVector();
    return new MoeShape(
        new Few(1, 8, 1), new Many(1, 1, vector, vector == 16 ? 4 : 2, 4, 16, 64), 1);
  }
}
