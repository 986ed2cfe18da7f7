package dev.kancil.text.template;

import java.util.List;
import java.util.Map;

/** A method of a value, not called yet. */
record BoundMethod(Object owner, String name) implements Callable {
  @Override
  public Object call(Evaluation evaluation, Arguments arguments) {
    if (owner instanceof String text) {
      return StringMethods.call(evaluation, text, name, arguments);
    }
    if (owner instanceof Map<?, ?> map) {
      return Members.callOnDict(evaluation, Values.dict(map), name, arguments);
    }
    if (owner instanceof LoopState loop) {
      return name.equals("cycle") ? loop.cycle(arguments) : loop.changed(evaluation, arguments);
    }
    return Members.callOnSequence(
        evaluation, owner instanceof List ? owner : ((Tuple) owner).elements(), name, arguments);
  }

  @Override
  public String typeName() {
    return "builtin_function_or_method";
  }
}
