package dev.kancil.backend.accelerator;

/**
 * How a step of some rows is divided.
 *
 * @param local items of a work-group, in each dimension
 * @param groups work-groups in each dimension for that many rows
 * @param sharedBytes of memory that a work-group's items share, beyond what the kernel declares
 */
public record Grid(long[] local, Groups groups, int sharedBytes) {
  /** With no more shared memory than the kernel declares. */
  public Grid(long[] local, Groups groups) {
    this(local, groups, 0);
  }

  /** One item for each element of rows of so many columns. */
  public static Grid ofElements(int columns) {
    int local = 256;
    return of(local, rows -> Math.ceilDiv((long) rows * columns, local));
  }

  /** So many items for each row. */
  public static Grid perRow(int items) {
    return perRow(items, 1);
  }

  /** So many items for each of some parts of each row. */
  public static Grid perRow(int items, int parts) {
    // Small groups where few would be idle; where there are many items, not too many groups.
    int local = items < 1024 ? Math.min(items, 64) : 256;
    int groupsPerPart = Math.ceilDiv(items, local);
    return new Grid(
        new long[] {local, 1},
        (rows, target) -> {
          target[0] = groupsPerPart;
          target[1] = (long) rows * parts;
        });
  }

  /** Groups of one dimension. */
  public static Grid of(long local, LongGroups groups) {
    return new Grid(new long[] {local}, (rows, target) -> target[0] = groups.of(rows));
  }

  /** Work-groups of a step. */
  @FunctionalInterface
  public interface Groups {
    void of(int rows, long[] target);
  }

  /** Work-groups of a step in one dimension. */
  @FunctionalInterface
  public interface LongGroups {
    long of(int rows);
  }
}
