package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Variable;
import java.util.ArrayList;
import java.util.List;

/** Parses the declarations of variables and parameters. */
final class PtxVariables {
  private static final long MAX_BYTES = 1L << 30;

  private final PtxTokens tokens;

  PtxVariables(PtxTokens tokens) {
    this.tokens = tokens;
  }

  /** From the state space to what precedes the semicolon or comma. */
  Variable parse(boolean isExternal) {
    int line = tokens.peek().line();
    String directive = tokens.word();
    Space space = Space.named(directive.substring(1));
    if (space == null) {
      throw new PtxException(line, "unknown state space " + directive);
    }
    int alignment = 0;
    int vector = 1;
    PtxType type = null;
    while (tokens.peek().text().startsWith(".")) {
      String word = tokens.word();
      switch (word) {
        case ".align" -> alignment = alignment(space == Space.SHARED ? 1024 : 256);
        case ".v2" -> vector = 2;
        case ".v4" -> vector = 4;
        // What a pointer parameter points to.
        case ".ptr", ".global", ".const", ".shared", ".local" -> {}
        default -> {
          type = PtxType.named(word.substring(1));
          if (type == null || type == PtxType.PRED) {
            throw new PtxException(line, "unknown type or directive " + word);
          }
        }
      }
    }
    if (type == null) {
      throw new PtxException(line, "a variable without a type");
    }
    String name = tokens.name();
    long elements = vector * elements(isExternal);
    if (elements * type.bytes() > MAX_BYTES) {
      throw new PtxException(line, name + " is too large");
    }
    List<Operand> values = new ArrayList<>();
    if (tokens.accept("=")) {
      parseValues(values);
      if (values.size() > elements) {
        throw new PtxException(line, name + " has more values than elements");
      }
    }
    return new Variable(
        name,
        space,
        type,
        Math.max(alignment, type.bytes() * vector),
        elements * type.bytes(),
        isExternal,
        List.copyOf(values),
        line);
  }

  private int alignment(int most) {
    long alignment = tokens.wholeNumber();
    if (alignment < 1 || alignment > most || Long.bitCount(alignment) != 1) {
      throw tokens.error("not an alignment: " + alignment);
    }
    return (int) alignment;
  }

  private long elements(boolean isExternal) {
    long elements = 1;
    while (tokens.accept("[")) {
      if (tokens.accept("]")) {
        if (!isExternal) {
          throw tokens.error("an array without a size");
        }
        return 0;
      }
      long size = tokens.wholeNumber();
      if (size < 0 || size > MAX_BYTES || elements * size > MAX_BYTES) {
        throw tokens.error("an array of size " + size);
      }
      elements *= size;
      tokens.expect("]");
    }
    return elements;
  }

  // Nested braces say nothing that the array's size does not.
  private void parseValues(List<Operand> values) {
    int depth = 0;
    do {
      if (tokens.accept("{")) {
        depth++;
      } else if (tokens.accept("}")) {
        depth--;
      } else if (!tokens.accept(",")) {
        values.add(value());
      }
    } while (depth > 0);
  }

  private Operand value() {
    if (tokens.peek().kind() != PtxLexer.Kind.WORD) {
      return tokens.numericOperand();
    }
    String name = tokens.name();
    if (name.equals("generic") && tokens.accept("(")) {
      name = tokens.name();
      tokens.expect(")");
    }
    return new Operand.Name(name, false, tokens.accept("+") ? tokens.wholeNumber() : 0);
  }
}
