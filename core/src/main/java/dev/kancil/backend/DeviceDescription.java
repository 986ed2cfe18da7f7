package dev.kancil.backend;

import org.jspecify.annotations.Nullable;

/**
 * What a person is told about a device.
 *
 * @param id what {@code --device} takes to choose it
 * @param name the hardware's own name
 * @param kernels which code runs on it, such as the vector width or the compute capability
 * @param memoryBytes memory that it may use
 * @param unavailableBecause why it can't be used and what would help; null if it can
 */
public record DeviceDescription(
    String id, String name, String kernels, long memoryBytes, @Nullable String unavailableBecause) {
  public boolean isAvailable() {
    return unavailableBecause == null;
  }
}
