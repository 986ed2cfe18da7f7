package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A macro as written: the same wherever it is defined from. */
record MacroSignature(
    String name, List<String> parameters, List<Expression> defaults, List<Statement> body) {
  /** What {@link #REQUIRED} evaluates to. */
  static final Undefined NOT_PROVIDED = new Undefined("parameter was not provided");

  /** Stands for the default of a parameter that has none. */
  static final Expression REQUIRED = new Expression.Literal(MacroSignature.NOT_PROVIDED);

  static MacroSignature of(String name, Map<String, Expression> parameters, List<Statement> body) {
    return new MacroSignature(
        name, new ArrayList<>(parameters.keySet()), new ArrayList<>(parameters.values()), body);
  }
}
