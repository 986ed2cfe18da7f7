package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostState;

/** The state's pages as attention walks over them. */
final class Pages {
  /** Keys of a page; a multiple of every vector's length. */
  static final int TOKENS = HostState.PAGE_TOKENS;

  private Pages() {}
}
