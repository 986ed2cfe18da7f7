/**
 * Transformer operations on the processor, in Java's Vector API, computed in float32 straight from
 * the weights as the file has them. Activations are never quantised, so results differ from the
 * reference only by the order in which float32 sums are taken.
 *
 * <p><b>Work and threads.</b> The device's own thread runs the nodes of a step one after the other.
 * Each kernel cuts its node into chunks of some microseconds, which the {@link
 * dev.kancil.backend.cpu.WorkerPool} hands to whoever is free, the device's thread included. Each
 * element of a result is computed within one chunk, in an order that depends on shapes alone, so
 * the number of threads never changes a result.
 *
 * <p><b>Weights.</b> With one row a product is bound by reading the weights, so they are unpacked
 * in registers and multiplied at once ({@code Dots}). With more rows a few weight rows at a time
 * are decoded to a panel of float32 that stays in the cache and meets all rows there ({@code
 * Decoding}, {@code Tiles}).
 *
 * <p><b>Vectors.</b> The width is the machine's, fixed in constants ({@code Lanes}). Vectors live
 * in local variables of small static methods and never cross a call that the compiler does not
 * inline: they would be allocated there.
 */
@NullMarked
package dev.kancil.backend.cpu;

import org.jspecify.annotations.NullMarked;
