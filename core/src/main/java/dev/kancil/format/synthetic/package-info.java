/** Models of a known shape with random weights, in memory or as files, for measuring. */
@NullMarked
package dev.kancil.format.synthetic;

import org.jspecify.annotations.NullMarked;
