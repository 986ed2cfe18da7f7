/** The operations, each a record that states its formula, shapes and source. */
@NullMarked
package dev.kancil.graph.op;

import org.jspecify.annotations.NullMarked;
