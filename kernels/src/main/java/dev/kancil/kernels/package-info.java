/** The sources of all device code. */
@NullMarked
package dev.kancil.kernels;

import org.jspecify.annotations.NullMarked;
