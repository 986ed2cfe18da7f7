package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A device of {@link Nvml}. What it does not support, what needs rights that the process does not
 * have, and what the library has no function for is empty.
 */
public final class NvmlDevice {
  /** The domains of clocks that are asked for (nvmlClockType_t). */
  public enum Clock {
    MULTIPROCESSORS(1),
    MEMORY(2);

    private final int number;

    Clock(int number) {
      this.number = number;
    }
  }

  /**
   * The device's memory, in bytes.
   *
   * @param used with what the driver keeps for itself, if {@code reserved} is not told
   */
  public record Memory(long total, long free, long used, OptionalLong reserved) {}

  /** Its size, and the version 2. */
  private static final int MEMORY_VERSION = 2 << 24 | 40;

  private static final int TEMPERATURE_VERSION = 1 << 24 | 12;
  private static final int TEMPERATURE_OF_CHIP = 0;

  private final MemorySegment handle;
  private final @Nullable MethodHandle memory;
  private final @Nullable MethodHandle plainMemory;
  private final @Nullable MethodHandle clock;
  private final @Nullable MethodHandle power;
  private final @Nullable MethodHandle powerLimit;
  private final @Nullable MethodHandle temperature;
  private final @Nullable MethodHandle newerTemperature;
  private final @Nullable MethodHandle clockReasons;

  NvmlDevice(Nvml nvml, MemorySegment handle) {
    this.handle = handle;
    memory = nvml.find("nvmlDeviceGetMemoryInfo_v2", ADDRESS, ADDRESS);
    plainMemory = nvml.find("nvmlDeviceGetMemoryInfo", ADDRESS, ADDRESS);
    clock = nvml.find("nvmlDeviceGetClockInfo", ADDRESS, JAVA_INT, ADDRESS);
    power = nvml.find("nvmlDeviceGetPowerUsage", ADDRESS, ADDRESS);
    powerLimit = nvml.find("nvmlDeviceGetEnforcedPowerLimit", ADDRESS, ADDRESS);
    temperature = nvml.find("nvmlDeviceGetTemperature", ADDRESS, JAVA_INT, ADDRESS);
    newerTemperature = nvml.find("nvmlDeviceGetTemperatureV", ADDRESS, ADDRESS);
    MethodHandle reasons = nvml.find("nvmlDeviceGetCurrentClocksEventReasons", ADDRESS, ADDRESS);
    // The same by its older name.
    clockReasons =
        reasons == null
            ? nvml.find("nvmlDeviceGetCurrentClocksThrottleReasons", ADDRESS, ADDRESS)
            : reasons;
  }

  /** A function that writes what it was asked for; returns a status. */
  @FunctionalInterface
  private interface Question {
    int ask(MethodHandle function, MemorySegment result) throws Throwable;
  }

  private static boolean holds(
      @Nullable MethodHandle function, MemorySegment result, Question question) {
    if (function == null) {
      return false;
    }
    try {
      return question.ask(function, result) == 0;
    } catch (Throwable e) {
      throw NativeLibrary.unchecked(e);
    }
  }

  private OptionalInt number(@Nullable MethodHandle function, Question question) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_INT);
      boolean isTold = holds(function, result, question);
      return isTold ? OptionalInt.of(result.get(JAVA_INT, 0)) : OptionalInt.empty();
    }
  }

  private int ask(MethodHandle function, MemorySegment result) throws Throwable {
    return (int) function.invokeExact(handle, result);
  }

  /** How much of the device's memory is in use, by all processes. */
  public Optional<Memory> memory() {
    try (Arena arena = Arena.ofConfined()) {
      // nvmlMemory_v2_t: version, total, reserved, free, used.
      MemorySegment result = arena.allocate(40, 8);
      result.set(JAVA_INT, 0, MEMORY_VERSION);
      if (holds(memory, result, this::ask)) {
        return Optional.of(
            new Memory(
                result.get(JAVA_LONG, 8),
                result.get(JAVA_LONG, 24),
                result.get(JAVA_LONG, 32),
                OptionalLong.of(result.get(JAVA_LONG, 16))));
      }
      // nvmlMemory_t: total, free, used.
      if (holds(plainMemory, result, this::ask)) {
        return Optional.of(
            new Memory(
                result.get(JAVA_LONG, 0),
                result.get(JAVA_LONG, 8),
                result.get(JAVA_LONG, 16),
                OptionalLong.empty()));
      }
      return Optional.empty();
    }
  }

  /** A clock's frequency at the moment, in MHz. */
  public OptionalInt megahertz(Clock which) {
    int number = which.number;
    return number(clock, (function, result) -> (int) function.invokeExact(handle, number, result));
  }

  /** What the board takes, in milliwatts; an average of a second on newer devices. */
  public OptionalInt milliwatts() {
    return number(power, this::ask);
  }

  /** What the board may take, in milliwatts, whoever has set it. */
  public OptionalInt limitMilliwatts() {
    return number(powerLimit, this::ask);
  }

  /** The chip's temperature, in degrees Celsius. */
  public OptionalInt celsius() {
    OptionalInt told =
        number(
            temperature,
            (function, result) -> (int) function.invokeExact(handle, TEMPERATURE_OF_CHIP, result));
    if (told.isPresent()) {
      return told;
    }
    try (Arena arena = Arena.ofConfined()) {
      // nvmlTemperature_v1_t: version, sensor, temperature.
      MemorySegment result = arena.allocate(12, 4);
      result.set(JAVA_INT, 0, TEMPERATURE_VERSION);
      result.set(JAVA_INT, 4, TEMPERATURE_OF_CHIP);
      return holds(newerTemperature, result, this::ask)
          ? OptionalInt.of(result.get(JAVA_INT, 8))
          : OptionalInt.empty();
    }
  }

  /**
   * Why clocks are lower than they could be, a bit for each reason (nvmlClocksEventReasons); 0: for
   * no reason.
   */
  public OptionalLong clockReasons() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_LONG);
      return holds(clockReasons, result, this::ask)
          ? OptionalLong.of(result.get(JAVA_LONG, 0))
          : OptionalLong.empty();
    }
  }
}
