package dev.kancil;

import org.jspecify.annotations.Nullable;

/**
 * A device is missing, was lost, or has no memory left; the message says what was needed and what
 * is free.
 */
public sealed class DeviceException extends KancilException permits UnfitDeviceException {
  private static final long serialVersionUID = 1L;

  public DeviceException(String message) {
    this(message, null);
  }

  public DeviceException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
