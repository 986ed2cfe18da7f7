/** Fetches models and keeps them in the user's cache folder. */
@NullMarked
package dev.kancil.cli.pull;

import org.jspecify.annotations.NullMarked;
