/** Whole programs that use Kancil as a library. */
@NullMarked
package dev.kancil.examples;

import org.jspecify.annotations.NullMarked;
