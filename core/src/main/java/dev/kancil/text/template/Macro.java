package dev.kancil.text.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A macro together with the scope it was defined in.
 *
 * @param scope where its body looks up names that it doesn't set itself
 */
record Macro(MacroSignature signature, Scope scope) implements Callable {
  @Override
  public String typeName() {
    return "Macro";
  }

  @Override
  public Object call(Evaluation evaluation, Arguments arguments) {
    List<String> parameters = signature.parameters();
    List<Object> positional = arguments.positional();
    Map<String, Object> rest = new LinkedHashMap<>(arguments.named());
    Scope inner = new Scope(scope);
    Scope outer = evaluation.scope();
    evaluation.enter(inner);
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Object value = i < positional.size() ? positional.get(i) : rest.remove(parameter);
      if (value == null) {
        value = missing(evaluation, parameter, signature.defaults().get(i));
      } else if (i < positional.size() && rest.containsKey(parameter)) {
        throw new EvaluationError(
            "macro " + quoted() + " got multiple values for argument '" + parameter + "'");
      }
      inner.set(parameter, value);
    }
    Object caller = rest.remove("caller");
    if (caller != null) {
      inner.set("caller", caller);
    }
    takeRest(evaluation, inner, positional, rest);
    String text = evaluation.capture(inner, signature.body());
    evaluation.enter(outer);
    return text;
  }

  private static Object missing(Evaluation evaluation, String parameter, Expression otherwise) {
    Object value = evaluation.evaluate(otherwise);
    return value instanceof Undefined undefined && undefined.equals(MacroSignature.NOT_PROVIDED)
        ? new Undefined("parameter '" + parameter + "' was not provided")
        : value;
  }

  /**
   * Arguments beyond the parameters. Jinja refuses them unless the body names {@code varargs} or
   * {@code kwargs}; here they are always taken, which no correct template can tell.
   */
  private void takeRest(
      Evaluation evaluation, Scope inner, List<Object> positional, Map<String, Object> rest) {
    int expected = signature.parameters().size();
    if (positional.size() > expected) {
      evaluation.reserve(8L * (positional.size() - expected));
      inner.set("varargs", new Tuple(List.copyOf(positional.subList(expected, positional.size()))));
    }
    if (!rest.isEmpty()) {
      evaluation.reserve(16L * rest.size());
      inner.set("kwargs", new LinkedHashMap<Object, Object>(rest));
    }
  }

  private String quoted() {
    return "'" + signature.name() + "'";
  }
}
