package dev.kancil.cli.pull;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Something that may go better when it is tried again. */
final class PassingFailure extends IOException {
  private static final long serialVersionUID = 1L;

  PassingFailure(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
