package dev.kancil.backend.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/** What the operating system says about the processor. */
final class Processor {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final Path MEMORY_INFO = Path.of("/proc/meminfo");

  private Processor() {}

  /** The hardware's own name where the system tells it, else the architecture's. */
  static String name() {
    String architecture = System.getProperty("os.arch", "unknown");
    int threads = Runtime.getRuntime().availableProcessors();
    return field(CPU_INFO, "model name", architecture) + ", " + threads + " threads";
  }

  /** Physical memory, or what the heap may take where the system does not say. */
  static long memoryBytes() {
    String total = field(MEMORY_INFO, "MemTotal", "").toLowerCase(Locale.ROOT);
    if (total.endsWith(" kb")) {
      try {
        return Long.parseLong(total.substring(0, total.length() - 3).strip()) * 1024;
      } catch (NumberFormatException e) {
        return Runtime.getRuntime().maxMemory();
      }
    }
    return Runtime.getRuntime().maxMemory();
  }

  private static String field(Path file, String name, String otherwise) {
    if (!Files.isReadable(file)) {
      return otherwise;
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(otherwise);
    } catch (IOException | java.io.UncheckedIOException e) {
      return otherwise;
    }
  }
}
