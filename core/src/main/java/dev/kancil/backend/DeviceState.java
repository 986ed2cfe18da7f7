package dev.kancil.backend;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A device's state at a moment. What it doesn't tell is empty.
 *
 * @param driver the driver's version
 * @param usedBytes of its memory, by all processes
 * @param totalBytes of its memory
 * @param megahertz the clock of what computes
 * @param memoryMegahertz the memory's clock
 * @param watts what it takes
 * @param limitWatts what it may take
 * @param celsius its temperature
 * @param slowedBy why its clocks are lower than they could be; nothing where they are not
 */
public record DeviceState(
    Optional<String> driver,
    OptionalLong usedBytes,
    OptionalLong totalBytes,
    OptionalInt megahertz,
    OptionalInt memoryMegahertz,
    OptionalDouble watts,
    OptionalDouble limitWatts,
    OptionalInt celsius,
    Optional<List<String>> slowedBy) {}
