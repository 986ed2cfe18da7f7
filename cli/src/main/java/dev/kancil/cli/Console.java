package dev.kancil.cli;

import dev.kancil.cli.pull.Progress;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a command reads, writes and asks of its surroundings.
 *
 * @param in standard input
 * @param out results
 * @param err what people are told
 * @param isTerminal whether {@code err} is read by a person as it comes
 * @param environment looks up an environment variable
 */
record Console(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean isTerminal,
    Function<String, @Nullable String> environment) {
  // Null where it is no terminal, depending on the version of Java.
  @SuppressWarnings("SystemConsoleNull")
  static Console ofProcess() {
    java.io.Console console = System.console();
    return new Console(
        new RememberedInput(System.in),
        new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
        console != null && console.isTerminal(),
        System::getenv);
  }

  /** Tells a person something, in one line. */
  void message(String text) {
    err.println("kancil: " + text);
  }

  /** Shows long work as a bar on a terminal, else by a line when it begins. */
  Progress.Display progress() {
    return (what, bytes) -> {
      if (isTerminal) {
        return ProgressLine.ofBytes(what, bytes);
      }
      message(what + (bytes < 0 ? "" : " (%,d MB)".formatted(bytes / 1_000_000)));
      return new Unseen();
    };
  }

  /** Shows work on many things as a bar on a terminal. */
  Progress counting(String what, long count) {
    return isTerminal ? ProgressLine.ofThings(what, count) : new Unseen();
  }

  private record Unseen() implements Progress {
    @Override
    public void done(long done) {}

    @Override
    public void close() {}
  }
}
