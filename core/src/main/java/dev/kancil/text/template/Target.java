package dev.kancil.text.template;

import java.util.List;

/** What {@code set} and {@code for} assign to. */
sealed interface Target {
  void assign(Evaluation evaluation, Scope scope, Object value);

  record Variable(String name) implements Target {
    @Override
    public void assign(Evaluation evaluation, Scope scope, Object value) {
      scope.set(name, value);
    }
  }

  record Attribute(String namespace, String name) implements Target {
    @Override
    public void assign(Evaluation evaluation, Scope scope, Object value) {
      if (!(evaluation.lookUp(namespace) instanceof Namespace object)) {
        throw new EvaluationError("cannot assign attribute on non-namespace object");
      }
      evaluation.reserve(8);
      object.attributes().put(name, value);
    }
  }

  record Unpacking(List<Target> targets) implements Target {
    @Override
    public void assign(Evaluation evaluation, Scope scope, Object value) {
      List<Object> values = Values.iterate(evaluation, value);
      if (values.size() != targets.size()) {
        throw new EvaluationError(
            values.size() < targets.size()
                ? "not enough values to unpack (expected "
                    + targets.size()
                    + ", got "
                    + values.size()
                    + ")"
                : "too many values to unpack (expected " + targets.size() + ")");
      }
      for (int i = 0; i < values.size(); i++) {
        targets.get(i).assign(evaluation, scope, values.get(i));
      }
    }
  }
}
