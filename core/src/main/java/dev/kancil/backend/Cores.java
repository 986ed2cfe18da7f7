package dev.kancil.backend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * How many cores this process may keep busy: no more than the container or the affinity lets it
 * have, and one for processors that share a core, since two threads of a kernel wait for the same
 * units there.
 */
final class Cores {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String ALLOWED = "Cpus_allowed_list:";

  private Cores() {}

  /** At least 1; what Java says where the system does not tell cores. */
  static int available() {
    int processors = Runtime.getRuntime().availableProcessors();
    try {
      int cores = count(Files.readAllLines(PROCESSORS), Files.readAllLines(STATUS));
      return cores == 0 ? processors : Math.min(processors, cores);
    } catch (IOException | UncheckedIOException e) {
      return processors;
    }
  }

  /**
   * Cores of the processors that a process may use; 0 if that isn't told.
   *
   * @param processors what Linux says about each
   * @param status of the process
   */
  static int count(List<String> processors, List<String> status) {
    BitSet allowed = allowed(status);
    Set<String> cores = new HashSet<>();
    int processor = -1;
    String socket = "";
    for (String line : processors) {
      String value = line.substring(line.indexOf(':') + 1).strip();
      if (line.startsWith("processor")) {
        processor = number(value);
      } else if (line.startsWith("physical id")) {
        socket = value;
      } else if (line.startsWith("core id") && processor >= 0 && allowed.get(processor)) {
        cores.add(socket + " " + value);
      }
    }
    return cores.size();
  }

  /** From a list such as {@code 0-3,8,10-11}; all where there is none. */
  private static BitSet allowed(List<String> status) {
    BitSet allowed = new BitSet();
    for (String line : status) {
      if (line.startsWith(ALLOWED)) {
        for (String range : line.substring(ALLOWED.length()).strip().split(",", -1)) {
          int dash = range.indexOf('-');
          int first = number(dash < 0 ? range : range.substring(0, dash));
          int last = dash < 0 ? first : number(range.substring(dash + 1));
          if (first >= 0 && last >= first) {
            allowed.set(first, last + 1);
          }
        }
        return allowed;
      }
    }
    allowed.set(0, 1 << 16);
    return allowed;
  }

  private static int number(String text) {
    try {
      int number = Integer.parseInt(text);
      return number < 1 << 16 ? number : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
