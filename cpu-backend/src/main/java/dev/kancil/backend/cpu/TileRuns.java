package dev.kancil.backend.cpu;

/**
 * How the tiles of a weight are cut into chunks of work.
 *
 * @param first number of the first chunk
 * @param tiles in all
 * @param perChunk tiles of a chunk
 */
record TileRuns(int first, int tiles, int perChunk) {
  /** Some microseconds of work: enough to pay for taking a chunk, little to wait for. */
  private static final long MOST_BYTES = 96 << 10;

  /** What kernels multiply together with many rows of x. */
  private static final int TILES_AT_ONCE = 2;

  private static final long LEAST_BYTES = 12 << 10;

  /** Chunks for each thread, so that one that began late or is held up delays little. */
  private static final int CHUNKS_PER_THREAD = 8;

  static TileRuns of(int first, TiledWeight weight, int threads) {
    int even = Math.ceilDiv(weight.tiles(), CHUNKS_PER_THREAD * threads);
    int least = (int) Math.ceilDiv(LEAST_BYTES, weight.tileBytes());
    int most = (int) Math.max(TILES_AT_ONCE, MOST_BYTES / weight.tileBytes());
    return new TileRuns(first, weight.tiles(), Math.min(most, Math.max(even, least)));
  }

  /** The number after the last chunk's. */
  int end() {
    return first + Math.ceilDiv(tiles, perChunk);
  }

  int firstTile(int chunk) {
    return (chunk - first) * perChunk;
  }

  int count(int chunk) {
    return Math.min(perChunk, tiles - firstTile(chunk));
  }
}
