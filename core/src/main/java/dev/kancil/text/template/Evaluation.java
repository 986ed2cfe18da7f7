package dev.kancil.text.template;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One rendering: where it is, what it has written, and what it has cost. Confined to a thread. */
final class Evaluation {
  /** Copying or searching this many characters costs one step. */
  private static final int CHARACTERS_PER_STEP = 64;

  private final TemplateOptions options;
  private final Map<Object, Object> variables;
  private Scope scope = new Scope(null);
  private StringBuilder output = new StringBuilder();
  private long steps;
  private long characters;
  private int depth;
  private int line = 1;

  Evaluation(TemplateOptions options, Map<String, ?> variables) {
    this.options = options;
    this.variables = Values.adopt(this, variables);
  }

  String run(List<Statement> template) {
    execute(template);
    return output.toString();
  }

  int line() {
    return line;
  }

  /** Notes where the template is, for messages. */
  void at(int currentLine) {
    line = currentLine;
  }

  LocalDateTime now() {
    LocalDateTime now = options.now();
    return now == null ? LocalDateTime.now(ZoneId.systemDefault()) : now;
  }

  void step() {
    if (++steps > options.maxSteps()) {
      throw new EvaluationError("more than " + options.maxSteps() + " steps");
    }
  }

  /** Counts the reading of characters, or of eight times as few elements. */
  void scan(long length) {
    steps += length / CHARACTERS_PER_STEP;
    step();
  }

  /** Counts characters before they are made. */
  void reserve(long length) {
    characters += length;
    if (characters > options.maxCharacters()) {
      throw new EvaluationError("more than " + options.maxCharacters() + " characters of text");
    }
    scan(length);
  }

  /**
   * Counts one more level of a recursion; {@link #leaveLevel} ends it, unless an error ends all.
   */
  void enterLevel() {
    if (++depth > options.maxDepth()) {
      throw new EvaluationError("nested deeper than " + options.maxDepth());
    }
  }

  void leaveLevel() {
    depth--;
  }

  Object evaluate(Expression expression) {
    step();
    enterLevel();
    Object value = expression.value(this);
    leaveLevel();
    return value;
  }

  /** The value, a string where it is markup. */
  Object plain(Expression expression) {
    return Values.plain(evaluate(expression));
  }

  List<Object> evaluateAll(List<Expression> expressions) {
    reserve(8L * expressions.size());
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(evaluate(expression));
    }
    return values;
  }

  Statement.Flow execute(List<Statement> statements) {
    enterLevel();
    Statement.Flow flow = Statement.Flow.NEXT;
    for (Statement statement : statements) {
      step();
      flow = statement.execute(this);
      if (flow != Statement.Flow.NEXT) {
        break;
      }
    }
    leaveLevel();
    return flow;
  }

  Statement.Flow executeIn(Scope inner, List<Statement> statements) {
    Scope outer = scope;
    scope = inner;
    Statement.Flow flow = execute(statements);
    scope = outer;
    return flow;
  }

  /** What statements write, instead of writing it. */
  String capture(Scope inner, List<Statement> statements) {
    StringBuilder outer = redirect(new StringBuilder());
    executeIn(inner, statements);
    String text = redirect(outer).toString();
    reserve(text.length());
    return text;
  }

  /** Writes elsewhere from now on; returns where it went before. */
  StringBuilder redirect(StringBuilder destination) {
    StringBuilder before = output;
    output = destination;
    return before;
  }

  void write(String text) {
    reserve(text.length());
    output.append(text);
  }

  Scope scope() {
    return scope;
  }

  void enter(Scope inner) {
    scope = inner;
  }

  Object lookUp(String name) {
    Object value = scope.find(name);
    if (value == null) {
      value = variables.get(name);
    }
    if (value == null) {
      value = Globals.find(name);
    }
    return value == null ? Undefined.name(name) : value;
  }

  Object call(Object callee, Arguments arguments) {
    if (callee instanceof Callable callable) {
      return callable.call(this, arguments);
    }
    if (callee instanceof Undefined undefined) {
      throw undefined.fail();
    }
    throw new EvaluationError("'" + Values.typeName(callee) + "' object is not callable");
  }
}
