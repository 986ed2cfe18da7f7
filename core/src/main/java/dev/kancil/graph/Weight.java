package dev.kancil.graph;

import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;

/**
 * A named constant of the model; its data is bound when the graph is compiled.
 *
 * @param name the checkpoint's name for it
 * @param type element type as the checkpoint stores it
 * @param shape sizes, outermost first
 */
public record Weight(String name, DataType type, Shape shape) implements Operand {}
