package dev.kancil.bindings.cuda;

/** Why NVIDIA's management library can't be asked, or does not know a device. */
public final class NvmlException extends RuntimeException {
  private static final long serialVersionUID = 1;

  NvmlException(String message) {
    super(message);
  }
}
