/** Reads and writes GGUF files, versions 2 and 3. */
@NullMarked
package dev.kancil.format.gguf;

import org.jspecify.annotations.NullMarked;
