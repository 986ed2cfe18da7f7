package dev.kancil.cli;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backends;
import dev.kancil.backend.DeviceSensors;
import dev.kancil.backend.DeviceState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads a device's state from start to close, ten times a second, on a thread of its own; what it
 * has read may be asked for when it is closed. A device that can't be asked is no error: the reason
 * is told instead.
 */
final class DeviceWatch implements AutoCloseable {
  private static final int INTERVAL_MILLIS = 100;

  private final @Nullable DeviceSensors sensors;
  private final List<DeviceState> states = new ArrayList<>();
  private volatile @Nullable String unknownBecause;
  private @Nullable Thread reader;

  private DeviceWatch(@Nullable DeviceSensors sensors, @Nullable String unknownBecause) {
    this.sensors = sensors;
    this.unknownBecause = unknownBecause;
  }

  /**
   * @param sensors closed with the result; null for a device that tells nothing
   */
  DeviceWatch(@Nullable DeviceSensors sensors) {
    this(sensors, null);
  }

  /**
   * @param id of a device
   */
  static DeviceWatch of(String id) {
    try {
      return new DeviceWatch(Backends.sensors(id).orElse(null));
    } catch (DeviceException e) {
      return new DeviceWatch(null, e.getMessage());
    }
  }

  void start() {
    DeviceSensors present = sensors;
    if (present != null) {
      reader = Thread.ofPlatform().daemon().name("device-watch").start(() -> readAll(present));
    }
  }

  private void readAll(DeviceSensors present) {
    try {
      while (true) {
        states.add(present.read());
        Thread.sleep(INTERVAL_MILLIS);
      }
    } catch (InterruptedException e) {
      // Closed.
    } catch (DeviceException e) {
      unknownBecause = e.getMessage();
    }
  }

  @Override
  public void close() {
    Thread running = reader;
    if (running != null) {
      running.interrupt();
      boolean wasInterrupted = false;
      while (true) {
        try {
          running.join();
          break;
        } catch (InterruptedException e) {
          wasInterrupted = true;
        }
      }
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
      reader = null;
    }
    if (sensors != null) {
      sensors.close();
    }
  }

  /** Why the device could not be asked; null if it could, or tells nothing anyway. */
  @Nullable String unknownBecause() {
    return unknownBecause;
  }

  /** The median, least and most of what was read; null where it was not told. */
  private record Range(double median, double least, double most) {
    Map<String, @Nullable Object> json() {
      return Json.object("median", median, "least", least, "most", most);
    }
  }

  private @Nullable Range range(Function<DeviceState, OptionalDouble> reading) {
    double[] sorted =
        states.stream().map(reading).flatMapToDouble(OptionalDouble::stream).sorted().toArray();
    return sorted.length == 0
        ? null
        : new Range(sorted[sorted.length / 2], sorted[0], sorted[sorted.length - 1]);
  }

  private static OptionalDouble wide(OptionalInt value) {
    return value.isPresent() ? OptionalDouble.of(value.getAsInt()) : OptionalDouble.empty();
  }

  private @Nullable Range clock() {
    return range(state -> wide(state.megahertz()));
  }

  private @Nullable Range memoryClock() {
    return range(state -> wide(state.memoryMegahertz()));
  }

  private @Nullable Range power() {
    return range(DeviceState::watts);
  }

  private OptionalDouble powerLimit() {
    return states.stream()
        .flatMapToDouble(state -> state.limitWatts().stream())
        .reduce((_, last) -> last);
  }

  private @Nullable Range temperature() {
    return range(state -> wide(state.celsius()));
  }

  /** How many readings each reason for lower clocks was among; null if none told reasons. */
  private @Nullable Map<String, Long> reasons() {
    if (states.stream().noneMatch(state -> state.slowedBy().isPresent())) {
      return null;
    }
    return states.stream()
        .flatMap(state -> state.slowedBy().stream().flatMap(List::stream))
        .collect(Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
  }

  private Optional<String> driver() {
    return states.stream().flatMap(state -> state.driver().stream()).findFirst();
  }

  /** What was read, for machines; null if nothing was. */
  @Nullable Map<String, @Nullable Object> json() {
    if (states.isEmpty()) {
      return null;
    }
    return Json.object(
        "driver", driver().orElse(null),
        "readings", states.size(),
        "clock_megahertz", json(clock()),
        "memory_clock_megahertz", json(memoryClock()),
        "power_watts", json(power()),
        "power_limit_watts", StateTexts.orNull(powerLimit()),
        "temperature_celsius", json(temperature()),
        "slowed_by", reasons());
  }

  private static @Nullable Object json(@Nullable Range range) {
    return range == null ? null : range.json();
  }

  /** Adds what was read to a table of medians, least and most. */
  void addRows(Table table) {
    String because = unknownBecause;
    if (because != null) {
      table.row("clocks", "", "not known: " + because, "", "");
    }
    row(table, "clock", clock(), value -> Math.round(value) + " MHz", "");
    row(table, "memory clock", memoryClock(), value -> Math.round(value) + " MHz", "");
    OptionalDouble limit = powerLimit();
    String most = limit.isPresent() ? " of " + StateTexts.watts(limit.getAsDouble()) : "";
    row(table, "power", power(), StateTexts::watts, most);
    row(table, "temperature", temperature(), value -> Math.round(value) + " °C", "");
    Map<String, Long> reasons = reasons();
    if (reasons != null) {
      String text =
          reasons.entrySet().stream()
              .map(
                  reason ->
                      reason.getKey() + " (" + reason.getValue() + " of " + states.size() + ")")
              .collect(Collectors.joining(", "));
      table.row("slowed by", "", text.isEmpty() ? "nothing" : text, "", "");
    }
  }

  private static void row(
      Table table, String what, @Nullable Range range, DoubleFunction<String> text, String more) {
    if (range != null) {
      table.row(
          what,
          "",
          text.apply(range.median) + more,
          text.apply(range.least),
          text.apply(range.most));
    }
  }
}
