/** The JSON reader. */
@NullMarked
package dev.kancil.format.json;

import org.jspecify.annotations.NullMarked;
