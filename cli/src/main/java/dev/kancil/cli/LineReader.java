package dev.kancil.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Reads lines from a person, who can edit them, or from a pipe. */
interface LineReader extends AutoCloseable {
  /** The next line; empty at the end. */
  Optional<String> next() throws IOException;

  /** Until the result is closed, an interruption by the person runs {@code action}. */
  AutoCloseable onInterrupt(Runnable action);

  @Override
  void close() throws IOException;

  static LineReader open(Console console) throws IOException {
    return console.isTerminal() ? new Interactive(TerminalBuilder.terminal()) : new Piped(console);
  }

  /** Lines with history and editing. */
  final class Interactive implements LineReader {
    private final Terminal terminal;
    private final org.jline.reader.LineReader reader;

    Interactive(Terminal terminal) {
      this.terminal = terminal;
      this.reader = LineReaderBuilder.builder().terminal(terminal).build();
    }

    @Override
    public Optional<String> next() {
      try {
        return Optional.of(reader.readLine("> "));
      } catch (EndOfFileException | UserInterruptException e) {
        return Optional.empty();
      }
    }

    @Override
    public AutoCloseable onInterrupt(Runnable action) {
      Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, _ -> action.run());
      return () -> terminal.handle(Terminal.Signal.INT, before);
    }

    @Override
    public void close() throws IOException {
      terminal.close();
    }
  }

  /** Lines as they are. */
  final class Piped implements LineReader {
    private final BufferedReader reader;

    Piped(Console console) {
      reader = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8));
    }

    @Override
    public Optional<String> next() throws IOException {
      return Optional.ofNullable(reader.readLine());
    }

    @Override
    public AutoCloseable onInterrupt(Runnable action) {
      return () -> {};
    }

    @Override
    public void close() {}
  }
}
