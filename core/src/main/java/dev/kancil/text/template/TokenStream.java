package dev.kancil.text.template;

import java.util.List;

/** The tokens as the parsers walk them, with a bound on how deep what they parse may nest. */
final class TokenStream {
  private static final int MAX_DEPTH = 100;

  private final List<Token> tokens;
  private int position;
  private int depth;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(position);
  }

  Token peekSecond() {
    return tokens.get(Math.min(position + 1, tokens.size() - 1));
  }

  /** The next token; the end, which is never passed, again and again. */
  Token next() {
    Token token = peek();
    if (token.kind() != Token.Kind.END) {
      position++;
    }
    return token;
  }

  boolean at(Token.Kind kind) {
    return peek().kind() == kind;
  }

  boolean atOperator(String operator) {
    return peek().is(Token.Kind.OPERATOR, operator);
  }

  boolean atName(String name) {
    return peek().is(Token.Kind.NAME, name);
  }

  boolean skipOperator(String operator) {
    return skip(atOperator(operator));
  }

  boolean skipName(String name) {
    return skip(atName(name));
  }

  private boolean skip(boolean found) {
    if (found) {
      position++;
    }
    return found;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  Token expect(Token.Kind kind, String what) {
    if (!at(kind)) {
      throw unexpected(what);
    }
    return next();
  }

  void enter() {
    if (++depth > MAX_DEPTH) {
      throw fail("nested deeper than " + MAX_DEPTH);
    }
  }

  void leave() {
    depth--;
  }

  EvaluationError unexpected(String expected) {
    return fail("expected " + expected + ", got " + peek().described());
  }

  EvaluationError fail(String message) {
    return new EvaluationError(message, peek().line());
  }
}
