package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxLexer.Kind;
import dev.kancil.cuda.emulator.PtxLexer.Token;
import java.util.List;

/** Tokens, taken one after the other. */
final class PtxTokens {
  private final List<Token> tokens;
  private int at;

  PtxTokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  boolean isAtEnd() {
    return peek().kind() == Kind.END;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peekAfter() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    if (token.kind() == Kind.END) {
      throw error("the text ends too early");
    }
    at++;
    return token;
  }

  boolean accept(String text) {
    if (!isAtEnd() && peek().is(text)) {
      at++;
      return true;
    }
    return false;
  }

  void expect(String text) {
    if (!accept(text)) {
      throw error(text + " was expected, not " + peek().text());
    }
  }

  /** A name, directive or mnemonic. */
  String word() {
    if (peek().kind() != Kind.WORD) {
      throw error("a word was expected, not " + peek().text());
    }
    return next().text();
  }

  /** The name of something that is declared. */
  String name() {
    String name = word();
    if (name.startsWith(".")) {
      throw error("a name was expected, not " + name);
    }
    return name;
  }

  String number() {
    if (peek().kind() != Kind.NUMBER) {
      throw error("a number was expected, not " + peek().text());
    }
    return next().text();
  }

  /** A whole number, with its sign. */
  long wholeNumber() {
    if (numericOperand() instanceof Operand.Whole whole) {
      return whole.value();
    }
    throw error("a whole number was expected");
  }

  /** Any number, with its sign. */
  Operand numericOperand() {
    boolean negative = accept("-");
    String text = number();
    try {
      return PtxNumbers.parse(text, negative);
    } catch (NumberFormatException e) {
      throw error("not a number: " + text);
    }
  }

  /** A section of debug data, with its braces. */
  void skipSection() {
    while (!next().is("{")) {}
    while (!next().is("}")) {}
  }

  /** An error at the next token. */
  PtxException error(String message) {
    return new PtxException(peek().line(), message);
  }
}
