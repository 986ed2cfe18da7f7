/**
 * Models of a known shape with random weights, in memory instead of a file, for measuring devices.
 */
@NullMarked
package dev.kancil.format.synthetic;

import org.jspecify.annotations.NullMarked;
