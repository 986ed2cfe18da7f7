package dev.kancil.cuda.emulator;

import org.jspecify.annotations.Nullable;

/** State spaces, and where generic addresses see those that are not global. */
enum Space {
  GLOBAL(0),
  /** Read-only, at global addresses. */
  CONST(0),
  SHARED(0x0300_0000_0000L),
  LOCAL(0x0200_0000_0000L),
  PARAM(0x0100_0000_0000L),
  GENERIC(0);

  /** The size of each window in generic addresses. */
  static final long WINDOW_BYTES = 1L << 32;

  private static final Space[] WINDOWS = {SHARED, LOCAL, PARAM};

  /** What a generic address is less the address in the space. */
  final long window;

  Space(long window) {
    this.window = window;
  }

  /** The space that a modifier names; null if it names none. */
  static @Nullable Space named(String modifier) {
    return switch (modifier) {
      case "global" -> GLOBAL;
      case "const" -> CONST;
      case "shared", "shared::cta" -> SHARED;
      case "local" -> LOCAL;
      case "param", "param::entry", "param::func" -> PARAM;
      default -> null;
    };
  }

  /** The space in whose window a generic address lies. */
  static Space of(long address) {
    if (address >= SHARED.window + WINDOW_BYTES || address < PARAM.window) {
      return GLOBAL;
    }
    for (Space space : WINDOWS) {
      if (address >= space.window && address < space.window + WINDOW_BYTES) {
        return space;
      }
    }
    return GLOBAL;
  }
}
