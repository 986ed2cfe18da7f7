package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Statement;
import dev.kancil.cuda.emulator.PtxModule.Variable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Parses a function's body. */
final class PtxBody {
  private static final int MAX_DEPTH = 64;

  private final PtxTokens tokens;
  private final PtxVariables declarations;
  private final List<Statement> statements = new ArrayList<>();
  private Scope scope;
  private int sourceFile;
  private int sourceLine;

  PtxBody(PtxTokens tokens, PtxVariables declarations, Scope scope) {
    this.tokens = tokens;
    this.declarations = declarations;
    this.scope = scope;
  }

  /** From the opening to the closing brace. */
  List<Statement> parse() {
    tokens.expect("{");
    int depth = 1;
    while (depth > 0) {
      if (tokens.accept("{")) {
        scope = new Scope(scope);
        if (++depth > MAX_DEPTH) {
          throw tokens.error("braces nest too deeply");
        }
      } else if (tokens.accept("}")) {
        depth--;
        scope = depth == 0 ? scope : Objects.requireNonNull(scope.parent());
      } else if (tokens.peek().text().startsWith(".")) {
        parseDirective();
      } else if (tokens.peekAfter().is(":")) {
        parseLabel();
      } else if (!tokens.accept(";")) {
        statements.add(parseInstruction());
      }
    }
    return statements;
  }

  private void parseDirective() {
    String directive = tokens.peek().text();
    switch (directive) {
      case ".loc" -> {
        int line = tokens.next().line();
        int file = (int) tokens.wholeNumber();
        int number = (int) tokens.wholeNumber();
        // Line 0 is code of no line.
        if (number > 0) {
          sourceFile = file;
          sourceLine = number;
        }
        while (!tokens.isAtEnd() && tokens.peek().line() == line) {
          tokens.next();
        }
      }
      case ".reg" -> parseRegisters();
      case ".pragma" -> {
        tokens.next();
        while (!tokens.accept(";")) {
          tokens.next();
        }
      }
      case ".shared", ".local", ".param" -> {
        Variable variable = declarations.parse(false);
        if (!scope.declare(variable.name(), new Scope.Memory(variable))) {
          throw tokens.error(variable.name() + " is declared twice");
        }
        tokens.expect(";");
      }
      default -> throw tokens.error("unknown directive " + directive);
    }
  }

  private void parseRegisters() {
    tokens.next();
    String word = tokens.word();
    PtxType type = PtxType.named(word.substring(1));
    if (type == null) {
      throw tokens.error("unknown type of registers " + word);
    }
    do {
      String name = tokens.name();
      if (tokens.accept("<")) {
        scope.declareRange(name, tokens.wholeNumber(), type);
        tokens.expect(">");
      } else {
        scope.declareRegister(name, type, tokens.peek().line());
      }
    } while (tokens.accept(","));
    tokens.expect(";");
  }

  private void parseLabel() {
    String name = tokens.name();
    tokens.expect(":");
    Scope.Meaning meaning = new Scope.Label(statements.size());
    if (tokens.accept(".branchtargets")) {
      List<String> labels = new ArrayList<>();
      do {
        labels.add(tokens.name());
      } while (tokens.accept(","));
      tokens.expect(";");
      meaning = new Scope.Targets(labels);
    }
    if (!scope.declare(name, meaning)) {
      throw tokens.error(name + " is declared twice");
    }
  }

  private Statement parseInstruction() {
    int line = tokens.peek().line();
    String guard = null;
    boolean negated = false;
    if (tokens.accept("@")) {
      negated = tokens.accept("!");
      guard = tokens.name();
    }
    String opcode = tokens.name();
    List<Operand> operands = new ArrayList<>();
    if (!tokens.accept(";")) {
      do {
        operands.add(operand());
      } while (tokens.accept(","));
      tokens.expect(";");
    }
    return statement(guard, negated, opcode, operands, line);
  }

  private Statement statement(
      @Nullable String guard, boolean negated, String opcode, List<Operand> operands, int line) {
    return new Statement(
        guard, negated, opcode, List.copyOf(operands), scope, line, sourceFile, sourceLine);
  }

  private Operand operand() {
    Operand first;
    if (tokens.accept("{")) {
      first = list("}");
    } else if (tokens.accept("(")) {
      first = list(")");
    } else if (tokens.accept("[")) {
      Operand base = simple();
      tokens.expect("]");
      first =
          base instanceof Operand.Name name
              ? new Operand.Address(new Operand.Name(name.text(), false, 0), name.offset())
              : new Operand.Address(base, 0);
    } else {
      first = simple();
    }
    return tokens.accept("|") ? new Operand.Pair(first, simple()) : first;
  }

  private Operand list(String end) {
    List<Operand> elements = new ArrayList<>();
    while (!tokens.accept(end)) {
      if (!elements.isEmpty()) {
        tokens.expect(",");
      }
      elements.add(simple());
    }
    return new Operand.Vector(elements);
  }

  private Operand simple() {
    boolean negated = tokens.accept("!");
    if (!negated && tokens.peek().kind() != PtxLexer.Kind.WORD) {
      return tokens.numericOperand();
    }
    String name = tokens.name();
    long offset = 0;
    if (tokens.accept("+")) {
      offset = tokens.wholeNumber();
    } else if (tokens.accept("-")) {
      offset = -tokens.wholeNumber();
    }
    return new Operand.Name(name, negated, offset);
  }
}
