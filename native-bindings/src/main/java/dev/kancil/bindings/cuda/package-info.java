/** The CUDA driver API and its compiler, as far as Kancil uses them. */
@NullMarked
package dev.kancil.bindings.cuda;

import org.jspecify.annotations.NullMarked;
