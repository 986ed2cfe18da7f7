package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Function;
import dev.kancil.cuda.emulator.PtxModule.Variable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parses what stands outside of functions. */
final class PtxParser {
  private static final Set<String> LINKAGES = Set.of(".visible", ".weak", ".extern", ".common");

  private final PtxTokens tokens;
  private final Scope scope = new Scope(null);
  private final List<Variable> variables = new ArrayList<>();
  private final Map<String, Function> functions = new HashMap<>();
  private final Map<Integer, String> files = new HashMap<>();
  private final PtxVariables declarations;

  private PtxParser(String text) {
    tokens = new PtxTokens(PtxLexer.tokens(text));
    declarations = new PtxVariables(tokens);
  }

  /**
   * @throws PtxException that names the line of what is wrong or unknown
   */
  static PtxModule parse(String text) {
    PtxParser parser = new PtxParser(text);
    PtxTarget target = parser.parseHeader();
    while (!parser.tokens.isAtEnd()) {
      parser.parseDirective();
    }
    return new PtxModule(target, parser.scope, parser.variables, parser.functions, parser.files);
  }

  private PtxTarget parseHeader() {
    tokens.expect(".version");
    String version = tokens.number();
    if (!version.matches("[0-9]{1,2}\\.[0-9]{1,2}")) {
      throw tokens.error("not a version of PTX: " + version);
    }
    tokens.expect(".target");
    String name = tokens.word();
    PtxTarget target = PtxTarget.of(name);
    if (target == null) {
      throw tokens.error("unknown target " + name);
    }
    while (tokens.accept(",")) {
      tokens.word();
    }
    tokens.expect(".address_size");
    if (tokens.wholeNumber() != 64) {
      throw tokens.error("addresses must have 64 bits");
    }
    return target;
  }

  private void parseDirective() {
    Set<String> linkage = new HashSet<>();
    while (LINKAGES.contains(tokens.peek().text())) {
      linkage.add(tokens.word());
    }
    String directive = tokens.peek().text();
    switch (directive) {
      case ".entry", ".func" -> parseFunction(directive.equals(".entry"));
      case ".file" -> parseFile();
      case ".section" -> tokens.skipSection();
      case ".global", ".const", ".shared" -> {
        Variable variable = declarations.parse(linkage.contains(".extern"));
        variables.add(variable);
        declare(variable);
        tokens.expect(";");
      }
      default -> throw tokens.error("unknown directive " + directive);
    }
  }

  private void parseFile() {
    int line = tokens.next().line();
    int number = (int) tokens.wholeNumber();
    String path = tokens.next().text();
    files.put(number, path.substring(path.lastIndexOf('/') + 1));
    // Its date and size may follow.
    while (!tokens.isAtEnd() && tokens.peek().line() == line) {
      tokens.next();
    }
  }

  private void declare(Variable variable) {
    if (!scope.declare(variable.name(), new Scope.Memory(variable))) {
      throw new PtxException(variable.line(), variable.name() + " is declared twice");
    }
  }

  private void parseFunction(boolean isKernel) {
    int line = tokens.next().line();
    Scope inner = new Scope(scope);
    List<Variable> results = List.of();
    if (!isKernel && tokens.peek().is("(")) {
      results = parseParameters(inner);
    }
    String name = tokens.name();
    List<Variable> parameters = tokens.peek().is("(") ? parseParameters(inner) : List.of();
    int maxThreads = parseBounds();
    Function function;
    if (tokens.accept(";")) {
      function = new Function(name, isKernel, results, parameters, null, maxThreads, line);
      functions.putIfAbsent(name, function);
      return;
    }
    PtxBody body = new PtxBody(tokens, declarations, inner);
    function = new Function(name, isKernel, results, parameters, body.parse(), maxThreads, line);
    Function earlier = functions.put(name, function);
    if (earlier != null && earlier.statements() != null) {
      throw new PtxException(line, name + " is defined twice");
    }
  }

  private List<Variable> parseParameters(Scope inner) {
    tokens.expect("(");
    List<Variable> parameters = new ArrayList<>();
    while (!tokens.accept(")")) {
      if (!parameters.isEmpty()) {
        tokens.expect(",");
      }
      if (!tokens.peek().is(".param")) {
        throw tokens.error("only .param parameters are supported, not " + tokens.peek().text());
      }
      Variable parameter = declarations.parse(false);
      parameters.add(parameter);
      if (!inner.declare(parameter.name(), new Scope.Memory(parameter))) {
        throw tokens.error(parameter.name() + " is declared twice");
      }
    }
    return parameters;
  }

  /** What stands between a function's head and its body; returns the most threads of a block. */
  private int parseBounds() {
    long maxThreads = 0;
    while (tokens.peek().text().startsWith(".")) {
      String directive = tokens.word();
      switch (directive) {
        case ".maxntid", ".reqntid" -> {
          maxThreads = tokens.wholeNumber();
          while (tokens.accept(",")) {
            maxThreads *= Math.clamp(tokens.wholeNumber(), 1, 1024);
          }
          maxThreads = Math.clamp(maxThreads, 1, 1024);
        }
        case ".minnctapersm", ".maxnreg" -> tokens.wholeNumber();
        case ".noreturn" -> {}
        case ".pragma" -> {
          tokens.next();
          tokens.expect(";");
        }
        default -> throw tokens.error("unknown directive " + directive);
      }
    }
    return (int) maxThreads;
  }
}
