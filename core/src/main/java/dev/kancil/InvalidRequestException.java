package dev.kancil;

import org.jspecify.annotations.Nullable;

/**
 * A request that can not be served as it stands: an option out of range, an unknown token id, a
 * prompt that does not fit.
 */
public final class InvalidRequestException extends KancilException {
  private static final long serialVersionUID = 1L;

  public InvalidRequestException(String message) {
    this(message, null);
  }

  public InvalidRequestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
