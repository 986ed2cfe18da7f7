/** A model on two devices: its first layers on one, its last on the other. */
@NullMarked
package dev.kancil.engine.split;

import org.jspecify.annotations.NullMarked;
