package dev.kancil;

/**
 * A device is there and works, but it can't run this model, while another device may: it lacks a
 * compiler for the model's kernels, or room that no setting would give it.
 */
public final class UnfitDeviceException extends DeviceException {
  private static final long serialVersionUID = 1L;

  public UnfitDeviceException(String message) {
    super(message);
  }
}
