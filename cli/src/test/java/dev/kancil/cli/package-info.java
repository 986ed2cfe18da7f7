@NullMarked
package dev.kancil.cli;

import org.jspecify.annotations.NullMarked;
