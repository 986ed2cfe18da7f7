package dev.kancil;

import org.jspecify.annotations.Nullable;

/**
 * A file is damaged, hostile or not what it claims to be; the message names the file and the place.
 */
public final class FormatException extends KancilException {
  private static final long serialVersionUID = 1L;

  public FormatException(String message) {
    this(message, null);
  }

  public FormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
