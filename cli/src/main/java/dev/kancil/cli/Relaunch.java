package dev.kancil.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts this command again in a JVM with a module that the model turns out to need: most models
 * start faster without it.
 */
final class Relaunch {
  private Relaunch() {}

  /**
   * Runs the command with a module, in place of this process.
   *
   * @param read what was read of standard input
   * @return its exit status
   */
  static int with(String module, byte[] read, String... arguments) {
    List<String> command = command(module, arguments);
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    if (read.length > 0) {
      builder.redirectInput(ProcessBuilder.Redirect.PIPE);
    }
    try {
      Process process = builder.start();
      // Who ends this process means the command.
      Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
      if (read.length > 0) {
        try (OutputStream in = process.getOutputStream()) {
          in.write(read);
        }
      }
      return process.waitFor();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(command.getFirst() + ": can't be started", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private static List<String> command(String module, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      // Caches are of a JVM without the module, and what is not compiled well is no use with it.
      if (!flag.startsWith("-XX:AOT") && !flag.startsWith("-XX:CompilationMode")) {
        command.add(flag);
      }
    }
    command.add("--add-modules=" + module);
    // As the launcher says why.
    command.add("-XX:-UseOnStackReplacement");
    command.add("-XX:CompileCommand=quiet");
    command.add("-XX:CompileCommand=CompileThresholdScaling,dev.kancil.backend.cpu.*::*,0.02");
    command.addAll(List.of("-cp", System.getProperty("java.class.path", "")));
    command.add(Kancil.class.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
