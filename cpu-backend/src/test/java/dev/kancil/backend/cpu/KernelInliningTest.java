package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What C2 makes of products' kernels, by the log of its compilations in another JVM: a method that
 * passes vectors and is not inlined, whatever commands say, passes them through the heap. That
 * happens where a kernel has grown beyond 18,000 nodes before the call.
 */
class KernelInliningTest {
  private static final Pattern ATTRIBUTE = Pattern.compile("(\\w+)='([^']*)'");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 64})
  void noVectorIsPassedToACall(int vectorBytes) throws IOException, InterruptedException {
    Path log = folder.resolve("compilations");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:CompileCommandFile=" + CompileCommandsTest.COMMANDS,
            "-XX:MaxVectorSize=" + vectorBytes,
            "-Dkancil.cpu.kernels=vector",
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:+LogCompilation",
            "-XX:LogFile=" + log,
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            KernelSpeed.class.getName(),
            "BF16",
            "Q4_0",
            "Q5_0",
            "Q8_0",
            "Q6_K");
    Path output = folder.resolve("output");
    Process other =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(other.waitFor(5, TimeUnit.MINUTES)).as("ended in time").isTrue();
    } finally {
      other.destroyForcibly();
    }
    assertThat(other.exitValue()).as("%s", Files.readString(output)).isZero();
    Compilations found = read(log);
    assertThat(found.kernels)
        .contains(name(TileDots.class, "bytes"), name(TileDots.class, "nibbles"))
        .contains(name(TileDots.class, "integers"), name(FloatTiles.class, "brainFloats"));
    assertThat(found.calls).isEmpty();
  }

  private static String name(Class<?> type, String method) {
    return type.getName() + "::" + method;
  }

  /**
   * What C2 compiled.
   *
   * @param kernels those of them that commands name
   * @param calls of methods that commands say to inline, with the kernel and C2's reason
   */
  private record Compilations(SortedSet<String> kernels, SortedSet<String> calls) {}

  private static Compilations read(Path log) throws IOException {
    Set<String> kernels = CompileCommandsTest.commanded("dontinline ");
    Set<String> inlined = CompileCommandsTest.commanded("inline ");
    Compilations found = new Compilations(new TreeSet<>(), new TreeSet<>());
    Map<String, String> names = new HashMap<>();
    String kernel = "";
    String called = "";
    try (Stream<String> lines = Files.lines(log)) {
      for (String line : (Iterable<String>) lines::iterator) {
        switch (line.split(" ", 2)[0]) {
          case "<task" -> {
            names.clear();
            kernel = kernel(attributes(line), kernels);
            if (!kernel.isEmpty()) {
              found.kernels.add(kernel);
            }
          }
          case "<klass" -> {
            Map<String, String> of = attributes(line);
            names.put(of.getOrDefault("id", ""), of.getOrDefault("name", ""));
          }
          case "<method" -> {
            Map<String, String> of = attributes(line);
            String holder = names.getOrDefault(of.getOrDefault("holder", ""), "");
            names.put(of.getOrDefault("id", ""), holder + "::" + of.get("name"));
          }
          case "<call" ->
              called = names.getOrDefault(attributes(line).getOrDefault("method", ""), "");
          case "<inline_fail" -> {
            if (!kernel.isEmpty() && inlined.contains(called)) {
              String reason = attributes(line).getOrDefault("reason", "");
              found.calls.add(kernel + " calls " + called + ": " + reason);
            }
          }
          default -> {}
        }
      }
    }
    return found;
  }

  /**
   * The kernel that a task compiles; empty if it is none, or the compiler C1, whose have a level.
   */
  private static String kernel(Map<String, String> task, Set<String> kernels) {
    String[] method = task.getOrDefault("method", "").split(" ", 3);
    String name = method.length > 1 ? method[0] + "::" + method[1] : "";
    return kernels.contains(name) && !task.containsKey("level") ? name : "";
  }

  private static Map<String, String> attributes(String line) {
    Map<String, String> found = new HashMap<>();
    for (Matcher matcher = ATTRIBUTE.matcher(line); matcher.find(); ) {
      found.put(matcher.group(1), matcher.group(2));
    }
    return found;
  }
}
