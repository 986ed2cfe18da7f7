package dev.kancil.cli;

import dev.kancil.backend.DeviceState;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A device's state for people, and for machines. */
final class StateTexts {
  private static final String UNKNOWN = "?";

  private StateTexts() {}

  static String memory(DeviceState state) {
    return state.usedBytes().isPresent() && state.totalBytes().isPresent()
        ? Table.bytes(state.usedBytes().getAsLong())
            + " of "
            + Table.bytes(state.totalBytes().getAsLong())
        : UNKNOWN;
  }

  static String power(OptionalDouble watts, OptionalDouble limit) {
    String most = limit.isPresent() ? " of " + watts(limit.getAsDouble()) : "";
    return watts.isPresent() ? watts(watts.getAsDouble()) + most : UNKNOWN;
  }

  static String watts(double watts) {
    return String.format(Locale.ROOT, "%.0f W", watts);
  }

  static String megahertz(OptionalInt megahertz) {
    return megahertz.isPresent() ? megahertz.getAsInt() + " MHz" : UNKNOWN;
  }

  static String celsius(OptionalInt celsius) {
    return celsius.isPresent() ? celsius.getAsInt() + " °C" : UNKNOWN;
  }

  static Map<String, @Nullable Object> json(DeviceState state) {
    return Json.object(
        "driver", state.driver().orElse(null),
        "memory_used_bytes", orNull(state.usedBytes()),
        "memory_total_bytes", orNull(state.totalBytes()),
        "clock_megahertz", orNull(state.megahertz()),
        "memory_clock_megahertz", orNull(state.memoryMegahertz()),
        "power_watts", orNull(state.watts()),
        "power_limit_watts", orNull(state.limitWatts()),
        "temperature_celsius", orNull(state.celsius()),
        "slowed_by", state.slowedBy().orElse(null));
  }

  static @Nullable Object orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }

  private static @Nullable Object orNull(OptionalInt value) {
    return value.isPresent() ? value.getAsInt() : null;
  }

  private static @Nullable Object orNull(OptionalLong value) {
    return value.isPresent() ? value.getAsLong() : null;
  }
}
