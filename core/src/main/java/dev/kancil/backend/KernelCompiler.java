package dev.kancil.backend;

import java.nio.file.Path;
import java.util.List;

/**
 * Compiles what models need beforehand, for machines that have devices and no compiler. Models are
 * made ready on devices that are not there, one for each kind that has kernels of its own; what
 * these compile is kept until it is written.
 */
public interface KernelCompiler {
  /** The kinds of devices, as a person is told of them. */
  List<String> kinds();

  /**
   * Opens a device that is not there: weights are not brought to it, and no step can be run.
   *
   * @param kind index in {@link #kinds}
   */
  Device open(int kind, DeviceOptions options);

  /** How many kernels were compiled so far. */
  int count();

  /**
   * Writes all to one file, which replaces what has its name only when it is whole.
   *
   * @throws dev.kancil.InvalidRequestException if it can't be written
   */
  void write(Path file);
}
