/** TODO. */
@NullMarked
package dev.kancil.cuda.emulator;

import org.jspecify.annotations.NullMarked;
