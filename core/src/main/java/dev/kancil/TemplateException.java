package dev.kancil;

import org.jspecify.annotations.Nullable;

/** A chat template does not parse, fails on a conversation, or exceeds its limits. */
public final class TemplateException extends KancilException {
  private static final long serialVersionUID = 1L;

  public TemplateException(String message) {
    this(message, null);
  }

  public TemplateException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
