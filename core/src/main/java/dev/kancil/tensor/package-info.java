/** Element types, shapes and host tensors. */
@NullMarked
package dev.kancil.tensor;

import org.jspecify.annotations.NullMarked;
