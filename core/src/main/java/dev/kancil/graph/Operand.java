package dev.kancil.graph;

/** What an operation reads: a value of the graph or a weight of the model. */
public sealed interface Operand permits Value, Weight {
  String name();
}
