package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parses the tokens of a template into statements. */
final class StatementParser {
  private final TokenStream tokens;
  private final ExpressionParser expressions;

  /** How many loops the place is inside of, as {@code break} and {@code continue} see it. */
  private int loops;

  private StatementParser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  static List<Statement> parse(String source) {
    StatementParser parser = new StatementParser(new TokenStream(Lexer.tokens(source)));
    return parser.body();
  }

  /**
   * Statements up to the first block that begins with one of the given names, which is left at that
   * name; without names, up to the end.
   */
  private List<Statement> body(String... ends) {
    tokens.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      switch (token.kind()) {
        case TEXT -> statements.add(new Statement.Text(tokens.next().text()));
        case OUTPUT_BEGIN -> {
          tokens.next();
          statements.add(new Statement.Output(expressions.tuple(), token.line()));
          tokens.expect(Token.Kind.OUTPUT_END, "end of print statement");
        }
        case BLOCK_BEGIN -> {
          tokens.next();
          for (String end : ends) {
            if (tokens.atName(end)) {
              tokens.leave();
              return statements;
            }
          }
          statements.add(statement());
          endBlock();
        }
        default -> {
          if (token.kind() == Token.Kind.END && ends.length == 0) {
            tokens.leave();
            return statements;
          }
          throw tokens.unexpected(ends.length == 0 ? "a tag" : "'" + ends[ends.length - 1] + "'");
        }
      }
    }
  }

  private void endBlock() {
    tokens.expect(Token.Kind.BLOCK_END, "end of statement block");
  }

  /** The body after the block that begins it, and the name that ends it. */
  private List<Statement> bodyTo(String end) {
    endBlock();
    List<Statement> body = body(end);
    tokens.expectName(end);
    return body;
  }

  /** A body whose output is captured: loops around it cannot be left from inside. */
  private List<Statement> capturedTo(String end) {
    int outerLoops = loops;
    loops = 0;
    List<Statement> body = bodyTo(end);
    loops = outerLoops;
    return body;
  }

  private Statement statement() {
    Token tag = tokens.expect(Token.Kind.NAME, "a tag's name");
    return switch (tag.text()) {
      case "if" -> conditional();
      case "for" -> loop(tag.line());
      case "set" -> assignment(tag.line());
      case "macro" -> macro();
      case "call" -> callBlock(tag.line());
      case "filter" -> {
        Expression filters = expressions.filters(captured());
        yield new Statement.Captured(null, filters, capturedTo("endfilter"), tag.line());
      }
      case "generation" -> new Statement.Scoped(List.of(), capturedTo("endgeneration"));
      case "with" -> with(tag.line());
      case "break" -> jump(Statement.Flow.BREAK);
      case "continue" -> jump(Statement.Flow.CONTINUE);
      default ->
          throw new EvaluationError(
              "Encountered unknown tag '" + Values.shortened(tag.text()) + "'.", tag.line());
    };
  }

  private Statement jump(Statement.Flow flow) {
    if (loops == 0) {
      throw tokens.fail("break or continue outside of a loop");
    }
    return new Statement.Jump(flow);
  }

  private Statement conditional() {
    List<Statement.Branch> branches = new ArrayList<>();
    List<Statement> otherwise = List.of();
    do {
      int line = tokens.peek().line();
      Expression condition = expressions.tuple();
      endBlock();
      branches.add(new Statement.Branch(condition, body("elif", "else", "endif"), line));
    } while (tokens.skipName("elif"));
    if (tokens.skipName("else")) {
      endBlock();
      otherwise = body("endif");
    }
    tokens.expectName("endif");
    return new Statement.If(branches, otherwise);
  }

  private Statement loop(int line) {
    Target target = target();
    tokens.expectName("in");
    Expression iterable = expressions.iterable();
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    endBlock();
    loops++;
    List<Statement> body = body("else", "endfor");
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.skipName("else")) {
      endBlock();
      otherwise = body("endfor");
    }
    tokens.expectName("endfor");
    return new Statement.For(target, iterable, filter, body, otherwise, recursive, line);
  }

  private Statement assignment(int line) {
    Target target = target();
    if (tokens.skipOperator("=")) {
      return new Statement.Set(target, expressions.tuple(), line);
    }
    Expression value = tokens.skipOperator("|") ? expressions.filters(captured()) : captured();
    return new Statement.Captured(target, value, capturedTo("endset"), line);
  }

  private static Expression captured() {
    return new Expression.Name(Statement.Captured.INPUT);
  }

  /** One target, or several with commas between. */
  private Target target() {
    List<Target> targets = new ArrayList<>();
    boolean unpacking = false;
    do {
      if (unpacking && !tokens.at(Token.Kind.NAME) && !tokens.atOperator("(")) {
        break;
      }
      targets.add(singleTarget());
      unpacking |= tokens.atOperator(",");
    } while (tokens.skipOperator(","));
    return unpacking ? new Target.Unpacking(targets) : targets.get(0);
  }

  private Target singleTarget() {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Target target = target();
      tokens.leave();
      tokens.expectOperator(")");
      return target;
    }
    String name = assignableName();
    if (tokens.skipOperator(".")) {
      return new Target.Attribute(name, tokens.expect(Token.Kind.NAME, "a name").text());
    }
    return new Target.Variable(name);
  }

  private String assignableName() {
    Token name = tokens.expect(Token.Kind.NAME, "a name");
    return switch (name.text()) {
      case "true", "True", "false", "False", "none", "None" ->
          throw new EvaluationError("can't assign to '" + name.text() + "'", name.line());
      default -> name.text();
    };
  }

  private Statement macro() {
    String name = assignableName();
    tokens.expectOperator("(");
    Map<String, Expression> parameters = parameters();
    return new Statement.MacroDefinition(
        MacroSignature.of(name, parameters, capturedTo("endmacro")));
  }

  private Statement callBlock(int line) {
    Map<String, Expression> parameters =
        tokens.skipOperator("(") ? parameters() : new LinkedHashMap<>();
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw new EvaluationError("expected call", line);
    }
    MacroSignature caller = MacroSignature.of("caller", parameters, capturedTo("endcall"));
    return new Statement.CallBlock(caller, call, line);
  }

  /** Parameters and their defaults, {@link MacroSignature#REQUIRED} where there is none. */
  private Map<String, Expression> parameters() {
    Map<String, Expression> parameters = new LinkedHashMap<>();
    boolean optional = false;
    while (!tokens.skipOperator(")")) {
      String name = assignableName();
      boolean hasDefault = tokens.skipOperator("=");
      if (optional && !hasDefault) {
        throw tokens.fail("non-default argument follows default argument");
      }
      optional |= hasDefault;
      Expression value = hasDefault ? expressions.expression() : MacroSignature.REQUIRED;
      if (parameters.put(name, value) != null) {
        throw tokens.fail("parameter repeated: " + Values.shortened(name));
      }
      if (!tokens.atOperator(")")) {
        tokens.expectOperator(",");
      }
    }
    return parameters;
  }

  private Statement with(int line) {
    List<Statement.Set> names = new ArrayList<>();
    while (!tokens.at(Token.Kind.BLOCK_END)) {
      Target target = singleTarget();
      tokens.expectOperator("=");
      names.add(new Statement.Set(target, expressions.expression(), line));
      if (!tokens.at(Token.Kind.BLOCK_END)) {
        tokens.expectOperator(",");
      }
    }
    return new Statement.Scoped(names, bodyTo("endwith"));
  }
}
