/** The public API. */
@NullMarked
package dev.kancil;

import org.jspecify.annotations.NullMarked;
