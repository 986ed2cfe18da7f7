/**
 * Transformer operations on the processor: native kernels where there are some ({@code
 * NativeLibrary}), else Java's Vector API, computed in float32 from quantised weights. There
 * activations are never quantised, so results differ from the reference only by the order in which
 * float32 sums are taken.
 *
 * <p><b>Work and threads.</b> The device's own thread runs the nodes of a step one after the other.
 * Each kernel cuts its node into chunks of some microseconds, which the {@link
 * dev.kancil.backend.cpu.WorkerPool} hands to whoever is free, the device's thread included. Each
 * element of a result is computed within one chunk, in an order that depends on shapes alone, so
 * the number of threads never changes a result.
 *
 * <p><b>Weights.</b> Both lay them anew in tiles of 16 rows, in which each lane of a vector finds
 * its row ({@code TiledWeight}, {@code VectorTiles}). With few rows a product is bound by reading
 * the weights, so they are unpacked and multiplied at once ({@code TileDots}). With more rows some
 * columns are decoded to a panel of float32 that stays in the cache and meets all rows there
 * ({@code TileDecoding}, {@code PackedTiles}).
 *
 * <p><b>Vectors.</b> The width is the machine's, fixed in constants ({@code Lanes}). Vectors live
 * in local variables of small static methods and never cross a call that the compiler does not
 * inline: they would be allocated there.
 */
@NullMarked
package dev.kancil.backend.cpu;

import org.jspecify.annotations.NullMarked;
