package dev.kancil.backend;

/**
 * What a device tells of its state while it works, by the driver's own means. Asking takes some
 * milliseconds at most, and does not wait for the device's work.
 */
public interface DeviceSensors extends AutoCloseable {
  /** The state at the moment. */
  DeviceState read();

  @Override
  void close();
}
