/** The safetensors format. */
@NullMarked
package dev.kancil.format.safetensors;

import org.jspecify.annotations.NullMarked;
