@NullMarked
package dev.kancil.cli.pull;

import org.jspecify.annotations.NullMarked;
