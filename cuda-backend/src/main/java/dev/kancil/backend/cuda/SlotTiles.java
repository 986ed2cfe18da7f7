package dev.kancil.backend.cuda;

/**
 * How many slots (a row's use of an expert) the experts have in a step of some rows, and how many
 * tiles {@code moe_slots.h} makes of them.
 *
 * @param experts that there are
 * @param used by each row
 */
record SlotTiles(int experts, int used) {
  /** Up to so many sorting has room for. */
  static final int MOST_EXPERTS = 2048;

  /** Shared memory that sorting counts in, 4 bytes for a warp and expert. */
  private static final int COUNTED = 8192;

  private static final int MOST_WARPS = 32;

  /** Warps that sort. */
  int warps() {
    return Math.clamp(Integer.highestOneBit(COUNTED / experts), 1, MOST_WARPS);
  }

  long slots(int rows) {
    return (long) rows * used;
  }

  /** The most tiles that slots of so many rows can need, whatever experts they are of. */
  long most(int rows, int tileSlots) {
    long slots = slots(rows);
    // Each expert that has any fills a tile with its first one.
    long with = Math.min(experts, slots);
    return with + (slots - with) / tileSlots;
  }

  /** How many experts a step of so many rows uses, if each row chooses any with equal chances. */
  double expectedExperts(int rows) {
    return experts * (1 - Math.pow(Math.max(0, 1 - (double) used / experts), rows));
  }

  /**
   * The most rows of a step in which the experts that it uses have, on average, up to so many
   * slots; at least 1.
   */
  int mostRows(int slotsOfExpert) {
    int rows = 1;
    while (slots(rows + 1) <= slotsOfExpert * expectedExperts(rows + 1)) {
      rows++;
    }
    return rows;
  }
}
