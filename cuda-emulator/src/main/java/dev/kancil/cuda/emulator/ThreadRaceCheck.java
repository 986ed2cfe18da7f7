package dev.kancil.cuda.emulator;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The race check of kernels with mbarriers, at which a single thread may come, or wait, for others;
 * it takes more room and time than {@link WarpRaceCheck}. For each piece of memory it knows the
 * last writer and the last readers of each warp. An order is a clock for each warp, each thread and
 * the copies of each mbarrier: their accesses up to it come before. Warps have one, and so has a
 * thread that alone has waited, until it meets the others of its warp.
 *
 * <p>A bulk copy writes from its beginning until its mbarrier's phase ends, and whoever has seen
 * that end may read.
 */
final class ThreadRaceCheck extends RaceCheck {
  /** How many mbarriers' copies are told apart; of two that are not, a race may be missed. */
  private static final int COPY_CLOCKS = 64;

  // Entries: the clock, flags, and who; a thread, or FIRST_COPY and the number of a copy's clock.
  private static final int CLOCK_SHIFT = 16;
  private static final int ATOMIC = 1 << 12;

  /** Other lanes of the warp read, too, and have not met since. */
  private static final int SEVERAL = 1 << 13;

  private static final int FIRST_COPY = 1 << 10;
  private static final int WHO = 2 * FIRST_COPY - 1;
  private static final int NEVER = Integer.MAX_VALUE;

  /** What comes before, and what of that {@code fence.proxy.async} has published. */
  static final class Order {
    private final int[] known;
    private final int[] published;

    private Order(int clocks) {
      known = new int[clocks];
      published = new int[clocks];
    }

    private void clear() {
      Arrays.fill(known, 0);
      Arrays.fill(published, 0);
    }

    private void join(Order other) {
      join(known, other.known);
      join(published, other.published);
    }

    private static void join(int[] to, int[] from) {
      for (int i = 0; i < to.length; i++) {
        to[i] = Math.max(to[i], from[i]);
      }
    }
  }

  private final int shift;
  private final int warps;
  private final int threads;
  private final long[] writes;
  // Of each piece, each warp's.
  private final long[] reads;
  private final Order[] orders;
  private final @Nullable Order[] lanes;
  private final Order[] arrivals;
  private int clock;

  ThreadRaceCheck(int bytes, int granule, int warps) {
    this.warps = warps;
    threads = warps * Warp.LANES;
    shift = Integer.numberOfTrailingZeros(granule);
    int pieces = (bytes >> shift) + 1;
    writes = new long[pieces];
    reads = new long[pieces * warps];
    orders = new Order[warps];
    Arrays.setAll(orders, _ -> order());
    lanes = new Order[threads];
    arrivals = new Order[Barriers.COUNT];
    Arrays.setAll(arrivals, _ -> order());
  }

  /** An order before which nothing comes. */
  Order order() {
    return new Order(warps + threads + COPY_CLOCKS);
  }

  @Override
  void start() {
    Arrays.fill(writes, 0);
    Arrays.fill(reads, 0);
    for (Order order : orders) {
      order.clear();
    }
    for (Order order : arrivals) {
      order.clear();
    }
    Arrays.fill(lanes, null);
    clock = 1;
  }

  @Override
  int read(int offset, int bytes, int thread, boolean atomic) {
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      long write = writes[i];
      if (conflicts(write, thread, atomic)) {
        return writer(write);
      }
      noteRead(i, thread >> 5, entry(thread, atomic));
    }
    return NOBODY;
  }

  private void noteRead(int piece, int warp, long entry) {
    long old = reads[piece * warps + warp];
    if (old != 0 && clock(old) > orders[warp].known[warp]) {
      // The warp has not met since: an old read counts like the new one.
      entry |= old & SEVERAL | (((old ^ entry) & WHO) != 0 ? SEVERAL : 0);
      entry &= old | ~ATOMIC;
    }
    reads[piece * warps + warp] = entry;
  }

  @Override
  int write(int offset, int bytes, int thread, boolean atomic) {
    return write(offset, bytes, thread, atomic, entry(thread, atomic));
  }

  private int write(int offset, int bytes, int thread, boolean atomic, long entry) {
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      if (conflicts(writes[i], thread, atomic)) {
        return writer(writes[i]);
      }
      for (int warp = 0; warp < warps; warp++) {
        long read = reads[i * warps + warp];
        if ((read & SEVERAL) != 0
            ? !(atomic && (read & ATOMIC) != 0) && !knows(thread, warp, clock(read))
            : conflicts(read, thread, atomic)) {
          return (int) read & WHO | HAS_READ;
        }
      }
      writes[i] = entry;
    }
    return NOBODY;
  }

  @Override
  int readTogether(int offset, int bytes, int warp) {
    int[] known = orders[warp].known;
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      long write = writes[i];
      int who = (int) write & WHO;
      if (write != 0
          && clock(write) > known[warps + (who < FIRST_COPY ? who : threads + who - FIRST_COPY)]
          && (who >= FIRST_COPY || clock(write) > known[who >> 5])) {
        return writer(write);
      }
      noteRead(i, warp, entry(warp << 5, false) | SEVERAL);
    }
    return NOBODY;
  }

  @Override
  int unpublished(int offset, int bytes, int warp) {
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      if (!isPublished(writes[i], warp)) {
        return (int) writes[i] & WHO;
      }
    }
    return NOBODY;
  }

  /**
   * Whether {@code fence.proxy.async} lies between a write and what a warp does asynchronously now.
   *
   * @param write as {@link #lastWrite} told it
   */
  boolean isPublished(long write, int warp) {
    int who = (int) write & WHO;
    int[] published = orders[warp].published;
    return write == 0
        || who >= FIRST_COPY
        || clock(write) <= Math.max(published[who >> 5], published[warps + who]);
  }

  /**
   * Whether what a thread does now comes after a write.
   *
   * @param write as {@link #lastWrite} told it
   */
  boolean isOrdered(long write, int thread) {
    return !conflicts(write, thread, false);
  }

  /** The last write of a piece of memory. */
  long lastWrite(int offset) {
    return writes[offset >> shift];
  }

  /**
   * A thread begins a bulk copy to shared memory.
   *
   * @param copyClock of the copy's mbarrier
   * @return as {@link #write}
   */
  int beginCopy(int offset, int bytes, int thread, int copyClock) {
    long entry = (long) NEVER << CLOCK_SHIFT | FIRST_COPY + copyClock % COPY_CLOCKS;
    return write(offset, bytes, thread, false, entry);
  }

  /** A bulk copy has arrived: whoever knows the order, once its phase has ended, may read. */
  void endCopy(int offset, int bytes, int copyClock, Order order) {
    int number = copyClock % COPY_CLOCKS;
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      writes[i] = (long) clock << CLOCK_SHIFT | FIRST_COPY + number;
    }
    order.known[warps + threads + number] = clock;
  }

  private long entry(int thread, boolean atomic) {
    return (long) clock << CLOCK_SHIFT | (atomic ? ATOMIC : 0) | thread;
  }

  private static int clock(long entry) {
    return (int) (entry >> CLOCK_SHIFT);
  }

  private static int writer(long entry) {
    int who = (int) entry & WHO;
    return who >= FIRST_COPY ? COPY : who;
  }

  private boolean conflicts(long entry, int thread, boolean atomic) {
    if (entry == 0 || atomic && (entry & ATOMIC) != 0) {
      return false;
    }
    int who = (int) entry & WHO;
    if (who >= FIRST_COPY) {
      return !knows(thread, warps + threads + who - FIRST_COPY, clock(entry));
    }
    return who != thread
        && !knows(thread, who >> 5, clock(entry))
        && !knows(thread, warps + who, clock(entry));
  }

  private boolean knows(int thread, int index, int at) {
    Order own = lanes[thread];
    return at <= orders[thread >> 5].known[index] || own != null && at <= own.known[index];
  }

  /** What one lane knows, all do. */
  private Order fold(int warp) {
    Order order = orders[warp];
    for (int thread = warp << 5; thread < warp + 1 << 5; thread++) {
      Order own = lanes[thread];
      if (own != null) {
        order.join(own);
        lanes[thread] = null;
      }
    }
    return order;
  }

  @Override
  void meet(Warp warp) {
    fold(warp.index).known[warp.index] = clock;
    tick();
  }

  @Override
  void publish(Warp warp) {
    Order order = fold(warp.index);
    Order.join(order.published, order.known);
    order.published[warp.index] = clock;
    tick();
  }

  @Override
  void arrive(Warp warp, int barrier) {
    Order order = fold(warp.index);
    order.known[warp.index] = clock;
    arrivals[barrier].join(order);
    tick();
  }

  @Override
  void meet(Warp[] all, int barrier) {
    Order together = arrivals[barrier];
    for (Warp warp : all) {
      if (warp.waiting(barrier) != 0) {
        Order order = fold(warp.index);
        order.known[warp.index] = clock;
        together.join(order);
      }
    }
    for (Warp warp : all) {
      if (warp.waiting(barrier) != 0) {
        orders[warp.index].join(together);
      }
    }
    together.clear();
    tick();
  }

  /** What some threads of a warp did becomes part of an order. */
  void release(Warp warp, int mask, Order to) {
    to.join(orders[warp.index]);
    for (int m = mask; m != 0; m &= m - 1) {
      int thread = warp.index * Warp.LANES + Integer.numberOfTrailingZeros(m);
      Order own = lanes[thread];
      if (own != null) {
        to.join(own);
      }
      to.known[warps + thread] = clock;
    }
    if (mask == warp.living()) {
      to.known[warp.index] = clock;
    }
    tick();
  }

  /** What some threads of a warp do from now on comes after an order. */
  void acquire(Warp warp, int mask, Order from) {
    if (mask == warp.living()) {
      orders[warp.index].join(from);
      return;
    }
    Order.join(orders[warp.index].published, from.published);
    for (int m = mask; m != 0; m &= m - 1) {
      int thread = warp.index * Warp.LANES + Integer.numberOfTrailingZeros(m);
      Order own = lanes[thread];
      if (own == null) {
        own = order();
        lanes[thread] = own;
      }
      own.join(from);
    }
  }

  /** Now, before whatever comes next. */
  int moment() {
    tick();
    return clock - 1;
  }

  /**
   * What a thread began before a moment happens, and becomes part of an order with all that the
   * thread had done then.
   */
  void releaseLate(int thread, int moment, Order to, Runnable writes) {
    int now = clock;
    clock = moment;
    writes.run();
    clock = now;
    to.known[warps + thread] = Math.max(to.known[warps + thread], moment);
  }

  /** A phase ends: the order of those that have come is that of those that wait. */
  void endPhase(Order arriving, Order ended) {
    ended.join(arriving);
    tick();
  }

  private void tick() {
    if (clock == NEVER - 1) {
      throw new IllegalStateException("two thousand million barriers");
    }
    clock++;
  }
}
