/**
 * What devices that compute in host memory share: memory, the queue, steps and paged state. Each
 * such device brings only its kernels.
 */
@NullMarked
package dev.kancil.backend.host;

import org.jspecify.annotations.NullMarked;
