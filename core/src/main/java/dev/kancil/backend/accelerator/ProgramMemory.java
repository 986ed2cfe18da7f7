package dev.kancil.backend.accelerator;

import dev.kancil.backend.StepLimits;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import java.util.function.Function;

/**
 * Where a program's nodes find what they work on.
 *
 * @param inputs what a step brings
 * @param rooms buffers that kernels use one after the other
 * @param limits of a step
 * @param layout of the state
 * @param places of the graph's values
 */
public record ProgramMemory(
    StepInputs inputs,
    Rooms rooms,
    StepLimits limits,
    StateLayout layout,
    Function<Value, DeviceBuffer> places) {}
