package dev.kancil.cli;

import dev.kancil.ChatMessage;
import dev.kancil.Chunk;
import dev.kancil.Completion;
import dev.kancil.FinishReason;
import dev.kancil.Generation;
import dev.kancil.GenerationOptions;
import dev.kancil.KancilException;
import dev.kancil.Model;
import dev.kancil.Session;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "chat",
    description = "Talks with a model.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {"", "Type /reset to begin anew and /exit, or Ctrl-D, to end; Ctrl-C ends an answer."})
final class ChatCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Option(names = "--system", paramLabel = "TEXT", description = "What the system message says.")
  private String system = "";

  @Mixin private SamplingSettings sampling = new SamplingSettings();
  @Mixin private DeviceSettings device = new DeviceSettings();
  @Mixin private BesideOption beside = new BesideOption();

  ChatCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options = sampling.options();
    try (Model opened =
            Model.open(
                model.path(console), beside.with(device.options(console)).sessions(1).build());
        Session session = beside.session(opened);
        LineReader lines = LineReader.open(console)) {
      Announcement.print(console, opened.description());
      List<ChatMessage> conversation = begin();
      for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
        switch (line.get().strip()) {
          case "" -> {}
          case "/exit" -> {
            return 0;
          }
          case "/reset" -> conversation = begin();
          default -> answer(session, conversation, line.get(), options, lines);
        }
      }
    }
    return 0;
  }

  private List<ChatMessage> begin() {
    List<ChatMessage> conversation = new ArrayList<>();
    if (!system.isEmpty()) {
      conversation.add(ChatMessage.system(system));
    }
    return conversation;
  }

  private void answer(
      Session session,
      List<ChatMessage> conversation,
      String question,
      GenerationOptions options,
      LineReader lines) {
    conversation.add(ChatMessage.user(question));
    try (Generation generation = session.chat(conversation, options);
        AutoCloseable _ = lines.onInterrupt(generation::cancel)) {
      for (Chunk chunk : generation) {
        console.out().print(chunk.text());
        console.out().flush();
      }
      console.out().println();
      Completion completion = generation.await();
      if (completion.finishReason() == FinishReason.LENGTH) {
        console.message("the answer was cut; --max-tokens and --ctx allow longer ones");
      }
      conversation.add(ChatMessage.assistant(completion.text()));
    } catch (KancilException e) {
      // The conversation goes on without what could not be answered.
      conversation.removeLast();
      console.message(String.valueOf(e.getMessage()));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
