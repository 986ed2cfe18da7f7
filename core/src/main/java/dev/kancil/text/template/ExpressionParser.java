package dev.kancil.text.template;

import dev.kancil.text.template.Expression.ArgumentList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Parses expressions by Jinja's precedence, loosest first: {@code if else}, {@code or}, {@code
 * and}, {@code not}, comparisons, {@code + -}, {@code ~}, {@code * / // %}, {@code **}, signs, then
 * attributes, items, calls, filters and tests.
 */
final class ExpressionParser {
  private final TokenStream tokens;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  Expression expression() {
    tokens.enter();
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      value = new Expression.Conditional(condition, value, otherwise);
    }
    tokens.leave();
    return value;
  }

  /** One expression, or several with commas between as a tuple. */
  Expression tuple() {
    return tuple(true);
  }

  /** The same without {@code if else}, which after {@code for … in} begins the loop's filter. */
  Expression iterable() {
    return tuple(false);
  }

  private Expression tuple(boolean conditional) {
    List<Expression> elements = new ArrayList<>();
    boolean comma = false;
    while (!endsTuple()) {
      elements.add(conditional ? expression() : or());
      if (!tokens.skipOperator(",")) {
        break;
      }
      comma = true;
    }
    if (elements.isEmpty()) {
      throw tokens.unexpected("an expression");
    }
    return comma ? new Expression.TupleLiteral(elements) : elements.get(0);
  }

  private boolean endsTuple() {
    return tokens.at(Token.Kind.BLOCK_END)
        || tokens.at(Token.Kind.OUTPUT_END)
        || tokens.atOperator(")")
        || tokens.atName("recursive");
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Expression.Or(left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Expression.And(left, not());
    }
    return left;
  }

  private Expression not() {
    if (!tokens.skipName("not")) {
      return comparison();
    }
    tokens.enter();
    Expression operand = not();
    tokens.leave();
    return new Expression.Not(operand);
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>(1);
    List<Expression> operands = new ArrayList<>(1);
    while (true) {
      Token token = tokens.peek();
      if (token.kind() == Token.Kind.OPERATOR && isComparison(token.text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (tokens.atName("not") && tokens.peekSecond().is(Token.Kind.NAME, "in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    return operators.isEmpty() ? first : new Expression.Comparison(first, operators, operands);
  }

  private static boolean isComparison(String operator) {
    return switch (operator) {
      case "==", "!=", "<", "<=", ">", ">=" -> true;
      default -> false;
    };
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.atOperator("+") || tokens.atOperator("-")) {
      left = new Expression.Binary(tokens.next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression first = product();
    if (!tokens.atOperator("~")) {
      return first;
    }
    List<Expression> operands = new ArrayList<>();
    operands.add(first);
    while (tokens.skipOperator("~")) {
      operands.add(product());
    }
    return new Expression.Concatenation(operands);
  }

  private Expression product() {
    Expression left = power();
    while (tokens.atOperator("*")
        || tokens.atOperator("/")
        || tokens.atOperator("//")
        || tokens.atOperator("%")) {
      left = new Expression.Binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.skipOperator("**")) {
      left = new Expression.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    Expression value;
    if (tokens.atOperator("-") || tokens.atOperator("+")) {
      boolean negative = tokens.next().text().equals("-");
      tokens.enter();
      value = new Expression.Sign(negative, unary(false));
      tokens.leave();
    } else {
      value = primary();
    }
    value = postfix(value);
    return withFilters ? filtersAndTests(value) : value;
  }

  private Expression primary() {
    Token token = tokens.peek();
    return switch (token.kind()) {
      case NAME -> named(tokens.next().text());
      case STRING -> {
        StringBuilder text = new StringBuilder(tokens.next().text());
        while (tokens.at(Token.Kind.STRING)) {
          text.append(tokens.next().text());
        }
        yield new Expression.Literal(text.toString());
      }
      case INTEGER -> new Expression.Literal(integer(tokens.next()));
      case FLOAT -> new Expression.Literal(Double.valueOf(tokens.next().text()));
      default -> {
        if (tokens.skipOperator("(")) {
          yield parenthesized();
        }
        if (tokens.skipOperator("[")) {
          yield list();
        }
        if (tokens.skipOperator("{")) {
          yield dict();
        }
        throw tokens.unexpected("an expression");
      }
    };
  }

  private static Expression named(String name) {
    return switch (name) {
      case "true", "True" -> new Expression.Literal(true);
      case "false", "False" -> new Expression.Literal(false);
      case "none", "None" -> new Expression.Literal(None.NONE);
      default -> new Expression.Name(name);
    };
  }

  private Expression list() {
    List<Expression> elements = new ArrayList<>();
    while (!tokens.skipOperator("]")) {
      elements.add(expression());
      if (!tokens.atOperator("]")) {
        tokens.expectOperator(",");
      }
    }
    return new Expression.ListLiteral(elements);
  }

  private static Long integer(Token token) {
    try {
      return Long.valueOf(token.text());
    } catch (NumberFormatException e) {
      throw new EvaluationError(
          "integer beyond 64 bits: " + Values.shortened(token.text()), token.line());
    }
  }

  private Expression parenthesized() {
    if (tokens.skipOperator(")")) {
      return new Expression.TupleLiteral(List.of());
    }
    Expression value = tuple();
    tokens.expectOperator(")");
    return value;
  }

  private Expression dict() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
      if (!tokens.atOperator("}")) {
        tokens.expectOperator(",");
      }
    }
    return new Expression.DictLiteral(keys, values);
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    while (true) {
      int line = tokens.peek().line();
      if (tokens.skipOperator(".")) {
        Token name = tokens.next();
        if (name.kind() == Token.Kind.NAME) {
          value = new Expression.Attribute(value, name.text());
        } else if (name.kind() == Token.Kind.INTEGER) {
          value = new Expression.Item(value, new Expression.Literal(integer(name)));
        } else {
          throw new EvaluationError("expected name or number", name.line());
        }
      } else if (tokens.skipOperator("[")) {
        value = subscript(value);
      } else if (tokens.skipOperator("(")) {
        value = new Expression.Call(value, arguments(), line);
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression owner) {
    Expression start = tokens.atOperator(":") ? null : expression();
    if (start != null && tokens.skipOperator("]")) {
      return new Expression.Item(owner, start);
    }
    tokens.expectOperator(":");
    Expression stop = sliceBound();
    Expression step = tokens.skipOperator(":") ? sliceBound() : null;
    tokens.expectOperator("]");
    return new Expression.Slice(owner, start, stop, step);
  }

  private @Nullable Expression sliceBound() {
    return tokens.atOperator(":") || tokens.atOperator("]") ? null : expression();
  }

  /** Arguments after an opening parenthesis, the closing one included. */
  ArgumentList arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.skipOperator(")")) {
      if (tokens.at(Token.Kind.NAME) && tokens.peekSecond().is(Token.Kind.OPERATOR, "=")) {
        String name = tokens.next().text();
        tokens.next();
        if (named.put(name, expression()) != null) {
          throw tokens.fail("keyword argument repeated: " + Values.shortened(name));
        }
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw tokens.fail("invalid syntax for function call expression");
      }
      if (!tokens.atOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    return new ArgumentList(positional, named);
  }

  private Expression filtersAndTests(Expression start) {
    Expression value = start;
    while (true) {
      int line = tokens.peek().line();
      if (tokens.skipOperator("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.skipOperator("(")) {
        value = new Expression.Call(value, arguments(), line);
      } else {
        return value;
      }
    }
  }

  /** A chain of filters after its input: {@code name(…) | name …}. */
  Expression filters(Expression input) {
    Expression value = filter(input);
    while (tokens.skipOperator("|")) {
      value = filter(value);
    }
    return value;
  }

  private Expression filter(Expression input) {
    String name = dottedName();
    return new Expression.Filter(
        input, name, tokens.skipOperator("(") ? arguments() : ArgumentList.NONE);
  }

  private String dottedName() {
    StringBuilder name = new StringBuilder(tokens.expect(Token.Kind.NAME, "a name").text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Token.Kind.NAME, "a name").text());
    }
    return name.toString();
  }

  private Expression test(Expression input) {
    boolean negated = tokens.skipName("not");
    String name = dottedName();
    ArgumentList arguments = ArgumentList.NONE;
    if (tokens.skipOperator("(")) {
      arguments = arguments();
    } else if (beginsTestArgument()) {
      tokens.enter();
      arguments = new ArgumentList(List.of(postfix(primary())), Map.of());
      tokens.leave();
    }
    Expression test = new Expression.Test(input, name, arguments);
    return negated ? new Expression.Not(test) : test;
  }

  private boolean beginsTestArgument() {
    Token token = tokens.peek();
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "else", "or", "and", "if", "is", "in", "not", "recursive" -> false;
            default -> true;
          };
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }
}
