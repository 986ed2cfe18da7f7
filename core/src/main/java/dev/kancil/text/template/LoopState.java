package dev.kancil.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} inside a {@code for}. */
final class LoopState implements Callable {
  private final Statement.@Nullable For recursion;
  private final List<Object> elements;
  private final int depth;
  private int index;
  private @Nullable Object lastChanged;

  LoopState(Statement.@Nullable For recursion, List<Object> elements, int depth) {
    this.recursion = recursion;
    this.elements = elements;
    this.depth = depth;
  }

  /** The state is shared by all iterations, as in Jinja. */
  void moveTo(int element) {
    index = element;
  }

  Object attribute(String name) {
    int length = elements.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) length - index;
      case "revindex0" -> length - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == length - 1;
      case "length" -> (long) length;
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" ->
          index == 0 ? new Undefined("there is no previous item") : elements.get(index - 1);
      case "nextitem" ->
          index == length - 1 ? new Undefined("there is no next item") : elements.get(index + 1);
      case "cycle", "changed" -> new BoundMethod(this, name);
      default ->
          new Undefined(
              "'jinja2.runtime.LoopContext object' has no attribute '"
                  + Values.shortened(name)
                  + "'");
    };
  }

  Object cycle(Arguments arguments) {
    List<Object> values = arguments.positional();
    if (values.isEmpty()) {
      throw new EvaluationError("no items for cycling given");
    }
    return values.get(index % values.size());
  }

  Object changed(Evaluation evaluation, Arguments arguments) {
    Tuple value = new Tuple(arguments.positional());
    boolean changed = lastChanged == null || !Comparing.equal(evaluation, lastChanged, value);
    lastChanged = value;
    return changed;
  }

  @Override
  public Object call(Evaluation evaluation, Arguments arguments) {
    if (recursion == null) {
      throw new EvaluationError(
          "The loop must have the 'recursive' marker to be called recursively.");
    }
    Statement.For loop = recursion;
    Object iterable = arguments.require("loop", 0, "iterable");
    Scope outer = evaluation.scope();
    StringBuilder output = evaluation.redirect(new StringBuilder());
    loop.run(evaluation, iterable, depth + 1);
    String text = evaluation.redirect(output).toString();
    evaluation.enter(outer);
    return text;
  }

  @Override
  public String typeName() {
    return "LoopContext";
  }
}
