/** Checkpoints: what every file format boils down to. */
@NullMarked
package dev.kancil.format;

import org.jspecify.annotations.NullMarked;
