package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * {@code CUlaunchConfig} of cuda.h with one {@code CUlaunchAttribute}, which follows it: the launch
 * need not wait until the kernel before it has ended.
 */
final class LaunchConfig {
  private static final long SHARED_BYTES = 24;
  private static final long STREAM = 32;
  private static final long ATTRIBUTES = 40;
  private static final long ATTRIBUTE_COUNT = 48;
  private static final long CONFIG_BYTES = 56;

  private static final long ATTRIBUTE_VALUE = CONFIG_BYTES + 8;
  private static final long ATTRIBUTE_BYTES = 8 + 64;

  /** CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION. */
  private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;

  private LaunchConfig() {}

  static MemorySegment allocate(Arena arena) {
    MemorySegment config = arena.allocate(CONFIG_BYTES + ATTRIBUTE_BYTES, 16);
    config.set(JAVA_LONG, ATTRIBUTES, config.address() + CONFIG_BYTES);
    config.set(JAVA_INT, ATTRIBUTE_COUNT, 1);
    config.set(JAVA_INT, CONFIG_BYTES, PROGRAMMATIC_STREAM_SERIALIZATION);
    config.set(JAVA_INT, ATTRIBUTE_VALUE, 1);
    return config;
  }

  static void set(
      MemorySegment config,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream) {
    config.set(JAVA_INT, 0, gridX);
    config.set(JAVA_INT, 4, gridY);
    config.set(JAVA_INT, 8, gridZ);
    config.set(JAVA_INT, 12, blockX);
    config.set(JAVA_INT, 16, blockY);
    config.set(JAVA_INT, 20, blockZ);
    config.set(JAVA_INT, SHARED_BYTES, sharedBytes);
    config.set(JAVA_LONG, STREAM, stream);
  }
}
