/**
 * What is computed: graphs of operations over row matrices, their shapes, state and memory plan.
 */
@NullMarked
package dev.kancil.graph;

import org.jspecify.annotations.NullMarked;
