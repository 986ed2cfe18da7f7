/** Rewrites that put several operations into one, for backends that take it. */
@NullMarked
package dev.kancil.graph.fusion;

import org.jspecify.annotations.NullMarked;
