package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The rows that a kernel's registers, constants and special registers lie in. */
final class Rows {
  /** What a row holds when a block starts. */
  sealed interface Content {}

  /** A register: poison. */
  record Unwritten() implements Content {}

  record Constant(long value) implements Content {}

  record SpecialRegister(Special special) implements Content {}

  /** An address in the shared memory that the launch sizes, which follows the static one. */
  record DynamicShared(long offset) implements Content {}

  /** A register of one inlined call. */
  private record Key(int frame, Scope.Register register) {}

  private static final Content UNWRITTEN = new Unwritten();

  final List<Content> ints = new ArrayList<>();
  final List<Content> longs = new ArrayList<>();
  final List<Content> predicates = new ArrayList<>();
  private final Map<Key, Integer> registers = new HashMap<>();
  private final Map<Content, Integer> intContents = new HashMap<>();
  private final Map<Content, Integer> longContents = new HashMap<>();
  private final Map<Content, Integer> predicateContents = new HashMap<>();

  int register(int frame, Scope.Register register) {
    return registers.computeIfAbsent(
        new Key(frame, register),
        _ -> {
          List<Content> rows =
              register.type() == PtxType.PRED
                  ? predicates
                  : register.type().isLong() ? longs : ints;
          rows.add(UNWRITTEN);
          return rows.size() - 1;
        });
  }

  int ints(Content content) {
    return row(content, ints, intContents);
  }

  int longs(Content content) {
    return row(content, longs, longContents);
  }

  int predicate(boolean value) {
    return row(new Constant(value ? -1 : 0), predicates, predicateContents);
  }

  private static int row(Content content, List<Content> rows, Map<Content, Integer> known) {
    return known.computeIfAbsent(
        content,
        added -> {
          rows.add(added);
          return rows.size() - 1;
        });
  }
}
