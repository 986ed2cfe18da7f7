package dev.kancil.graph;

/**
 * The result of a node, or an input of the graph.
 *
 * @param id unique within its graph
 * @param name the name under which taps find it, such as {@code hidden.layer.3}
 * @param type element type and size
 */
public record Value(int id, String name, ValueType type) implements Operand {}
