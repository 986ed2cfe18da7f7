package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names that are known between two braces. */
final class Scope {
  /** What a name stands for. */
  sealed interface Meaning {}

  /** Registers of one name in different scopes are different ones. */
  record Register(Scope scope, String name, PtxType type) implements Meaning {}

  record Memory(PtxModule.Variable variable) implements Meaning {}

  /**
   * @param statement the index of the one that follows the label
   */
  record Label(int statement) implements Meaning {}

  /** The list that a {@code brx.idx} chooses from. */
  record Targets(List<String> labels) implements Meaning {}

  /** {@code %r<9>}: %r0 to %r8. */
  private record Range(String prefix, long count, PtxType type) {}

  private final @Nullable Scope parent;
  private final Map<String, Meaning> meanings = new HashMap<>();
  private final List<Range> ranges = new ArrayList<>();

  Scope(@Nullable Scope parent) {
    this.parent = parent;
  }

  @Nullable Scope parent() {
    return parent;
  }

  /** Whether the name was new here. */
  boolean declare(String name, Meaning meaning) {
    return meanings.putIfAbsent(name, meaning) == null;
  }

  void declareRegister(String name, PtxType type, int line) {
    if (!declare(name, new Register(this, name, type))) {
      throw new PtxException(line, name + " is declared twice");
    }
  }

  void declareRange(String prefix, long count, PtxType type) {
    ranges.add(new Range(prefix, count, type));
  }

  /** The innermost meaning of a name, or null. */
  @Nullable Meaning find(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      Meaning meaning = scope.meanings.get(name);
      if (meaning == null) {
        meaning = scope.inRanges(name);
      }
      if (meaning != null) {
        return meaning;
      }
    }
    return null;
  }

  private @Nullable Meaning inRanges(String name) {
    for (Range range : ranges) {
      String number = name.startsWith(range.prefix) ? name.substring(range.prefix.length()) : "";
      if (number.matches("0|[1-9][0-9]{0,8}") && Long.parseLong(number) < range.count) {
        Register register = new Register(this, name, range.type);
        meanings.put(name, register);
        return register;
      }
    }
    return null;
  }
}
