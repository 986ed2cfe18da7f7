package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node that has a value; evaluated through {@link Evaluation#evaluate}, which counts. */
sealed interface Expression {
  Object value(Evaluation evaluation);

  record Literal(Object value) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return value;
    }
  }

  record Name(String name) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return evaluation.lookUp(name);
    }
  }

  record ListLiteral(List<Expression> elements) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return evaluation.evaluateAll(elements);
    }
  }

  record TupleLiteral(List<Expression> elements) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return new Tuple(evaluation.evaluateAll(elements));
    }
  }

  record DictLiteral(List<Expression> keys, List<Expression> values) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      evaluation.reserve(16L * keys.size());
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        Object key = Values.key(evaluation.evaluate(keys.get(i)));
        map.put(key, evaluation.evaluate(values.get(i)));
      }
      return map;
    }
  }

  record Attribute(Expression owner, String name) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return Members.attribute(evaluation, evaluation.plain(owner), name);
    }
  }

  record Item(Expression owner, Expression key) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object container = evaluation.plain(owner);
      return Members.item(evaluation, container, evaluation.plain(key));
    }
  }

  record Slice(
      Expression owner,
      @Nullable Expression start,
      @Nullable Expression stop,
      @Nullable Expression step)
      implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object container = evaluation.plain(owner);
      return Slices.slice(
          evaluation,
          container,
          bound(evaluation, start),
          bound(evaluation, stop),
          bound(evaluation, step));
    }

    private static @Nullable Long bound(Evaluation evaluation, @Nullable Expression expression) {
      Object value = expression == null ? None.NONE : evaluation.evaluate(expression);
      return value == None.NONE ? null : (Long) Arithmetic.index(value, "slice indices");
    }
  }

  /** Arguments as written. */
  record ArgumentList(List<Expression> positional, Map<String, Expression> named) {
    static final ArgumentList NONE = new ArgumentList(List.of(), Map.of());

    Arguments evaluate(Evaluation evaluation) {
      if (positional.isEmpty() && named.isEmpty()) {
        return Arguments.NONE;
      }
      Map<String, Object> values = named.isEmpty() ? Map.of() : new LinkedHashMap<>();
      List<Object> places = evaluation.evaluateAll(positional);
      for (Map.Entry<String, Expression> argument : named.entrySet()) {
        values.put(argument.getKey(), evaluation.evaluate(argument.getValue()));
      }
      return new Arguments(places, values);
    }

    /** With markup as plain strings, which is all that most functions know. */
    Arguments plain(Evaluation evaluation) {
      Arguments arguments = evaluate(evaluation);
      List<Object> places = arguments.positional();
      for (int i = 0; i < places.size(); i++) {
        if (places.get(i) instanceof Markup markup) {
          places.set(i, markup.text());
        }
      }
      for (Map.Entry<String, Object> argument : arguments.named().entrySet()) {
        argument.setValue(Values.plain(argument.getValue()));
      }
      return arguments;
    }
  }

  record Call(Expression function, ArgumentList arguments, int line) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object callee = evaluation.evaluate(function);
      Arguments evaluated = arguments.evaluate(evaluation);
      evaluation.at(line);
      Object result = evaluation.call(callee, evaluated);
      evaluation.at(line);
      return result;
    }
  }

  record Filter(Expression input, String name, ArgumentList arguments) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object value = evaluation.plain(input);
      return Filters.apply(evaluation, name, value, arguments.plain(evaluation));
    }
  }

  record Test(Expression input, String name, ArgumentList arguments) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object value = evaluation.plain(input);
      return Tests.test(evaluation, name, value, arguments.plain(evaluation));
    }
  }

  record Not(Expression operand) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return !Values.isTrue(evaluation.evaluate(operand));
    }
  }

  record And(Expression left, Expression right) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object first = evaluation.evaluate(left);
      return Values.isTrue(first) ? evaluation.evaluate(right) : first;
    }
  }

  record Or(Expression left, Expression right) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object first = evaluation.evaluate(left);
      return Values.isTrue(first) ? first : evaluation.evaluate(right);
    }
  }

  record Sign(boolean negative, Expression operand) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      return Arithmetic.sign(negative, evaluation.evaluate(operand));
    }
  }

  record Binary(String operator, Expression left, Expression right) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object first = evaluation.evaluate(left);
      return Arithmetic.binary(evaluation, operator, first, evaluation.evaluate(right));
    }
  }

  /** {@code a < b <= c}: every neighbouring pair holds. */
  record Comparison(Expression first, List<String> operators, List<Expression> operands)
      implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      Object left = evaluation.plain(first);
      for (int i = 0; i < operators.size(); i++) {
        Object right = evaluation.plain(operands.get(i));
        if (!holds(evaluation, operators.get(i), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    }

    private static boolean holds(
        Evaluation evaluation, String operator, Object left, Object right) {
      return switch (operator) {
        case "==" -> Comparing.equal(evaluation, left, right);
        case "!=" -> !Comparing.equal(evaluation, left, right);
        case "in" -> Comparing.contains(evaluation, right, left);
        case "not in" -> !Comparing.contains(evaluation, right, left);
        default -> Comparing.ordered(evaluation, operator, left, right);
      };
    }
  }

  /** {@code a ~ b}: the operands as text, one after the other. */
  record Concatenation(List<Expression> operands) implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      List<String> parts = new ArrayList<>(operands.size());
      long length = 0;
      for (Expression operand : operands) {
        String part = PythonText.string(evaluation, evaluation.evaluate(operand));
        parts.add(part);
        length += part.length();
      }
      evaluation.reserve(length);
      return String.join("", parts);
    }
  }

  record Conditional(Expression condition, Expression then, @Nullable Expression otherwise)
      implements Expression {
    @Override
    public Object value(Evaluation evaluation) {
      if (Values.isTrue(evaluation.evaluate(condition))) {
        return evaluation.evaluate(then);
      }
      return otherwise == null
          ? new Undefined(
              "the inline if-expression evaluated to false and no else section was defined.")
          : evaluation.evaluate(otherwise);
    }
  }
}
