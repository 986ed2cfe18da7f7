package dev.kancil;

import org.jspecify.annotations.Nullable;

/**
 * Well-formed input that Kancil, or the chosen device, can not run; the message names what is
 * missing and what would help.
 */
public final class UnsupportedException extends KancilException {
  private static final long serialVersionUID = 1L;

  public UnsupportedException(String message) {
    this(message, null);
  }

  public UnsupportedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
