/** The {@code kancil} command. */
@NullMarked
package dev.kancil.cli;

import org.jspecify.annotations.NullMarked;
