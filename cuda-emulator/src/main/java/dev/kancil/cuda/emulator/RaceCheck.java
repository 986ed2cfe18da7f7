package dev.kancil.cuda.emulator;

/**
 * Finds threads of a block that touch the same shared memory with nothing between that orders them,
 * at least one of them writing; and, in the same way, what asynchronous instructions read before
 * {@code fence.proxy.async} has published it.
 */
abstract class RaceCheck {
  static final int NOBODY = -1;

  /** Set where the other thread read. */
  static final int HAS_READ = 1 << 10;

  /** Instead of a thread, a bulk copy wrote. */
  static final int COPY = 1 << 11;

  /** Another block begins. */
  abstract void start();

  /** A thread reads; returns a thread that wrote without order, {@link #COPY} or NOBODY. */
  abstract int read(int offset, int bytes, int thread, boolean atomic);

  /**
   * A thread writes; returns a thread that accessed without order, with {@link #HAS_READ}, {@link
   * #COPY} or NOBODY.
   */
  abstract int write(int offset, int bytes, int thread, boolean atomic);

  /** All lanes of a warp read; returns a thread that wrote without order, COPY or NOBODY. */
  abstract int readTogether(int offset, int bytes, int warp);

  /**
   * A thread that wrote what an asynchronous instruction of a warp reads, with no {@code
   * fence.proxy.async} between; or {@link #NOBODY}.
   */
  abstract int unpublished(int offset, int bytes, int warp);

  /** A warp's lanes have waited for each other. */
  abstract void meet(Warp warp);

  /** A warp has run {@code fence.proxy.async}, at least one of its lanes for all. */
  abstract void publish(Warp warp);

  /**
   * A warp comes to a barrier and goes on: what it did before is ordered for those who wait there.
   */
  abstract void arrive(Warp warp, int barrier);

  /** The warps at a barrier have waited for each other, and for those that had come there. */
  abstract void meet(Warp[] all, int barrier);
}
