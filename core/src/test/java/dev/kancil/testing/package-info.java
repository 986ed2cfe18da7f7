/** What tests of several modules share. */
@NullMarked
package dev.kancil.testing;

import org.jspecify.annotations.NullMarked;
