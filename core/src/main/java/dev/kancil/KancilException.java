package dev.kancil;

import org.jspecify.annotations.Nullable;

/**
 * The parent of everything Kancil throws on bad input or missing means. Messages are one line, name
 * the file, tensor or option, and say what to do next where that is known.
 *
 * <p>It is the one class that every package may know, the layers below included.
 */
public abstract sealed class KancilException extends RuntimeException
    permits DeviceException,
        FormatException,
        InvalidRequestException,
        MissingModuleException,
        TemplateException,
        UnsupportedException {
  private static final long serialVersionUID = 1L;

  KancilException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
