/**
 * What devices with memory of their own share: paged state, weights, a step's inputs, and programs
 * whose work is enqueued. A backend brings {@link dev.kancil.backend.accelerator.DeviceMemory} and
 * a {@link dev.kancil.backend.accelerator.Lowering}.
 */
@NullMarked
package dev.kancil.backend.accelerator;

import org.jspecify.annotations.NullMarked;
