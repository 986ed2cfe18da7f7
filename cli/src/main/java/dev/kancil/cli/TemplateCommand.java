package dev.kancil.cli;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.Model;
import dev.kancil.ModelFiles;
import dev.kancil.UnsupportedException;
import dev.kancil.text.template.ChatTemplate;
import dev.kancil.text.template.Conversation;
import dev.kancil.text.template.TemplateOptions;
import dev.kancil.text.tokenizer.TokenizerFiles;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "template",
    description = "Prints a conversation as a model's chat template writes it, and nothing else.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "The conversation is a JSON object with the template's variables: messages, tools, documents,",
      "add_generation_prompt, bos_token and so on; now, such as 2026-01-31T12:00:00, fixes the clock."
    })
final class TemplateCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Option(
      names = "--conversation",
      required = true,
      paramLabel = "FILE",
      description = "A JSON file, or - for standard input.")
  private String conversation = "";

  TemplateCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Map<String, @Nullable Object> request = new LinkedHashMap<>();
    Map<String, ?> given = Json.parseObject(conversation, Texts.read(conversation, console));
    ChatTemplate template;
    if (model.model.endsWith(".jinja")) {
      template = ChatTemplate.parse(model.model, Texts.read(model.model, console));
    } else {
      Path path = model.path(console);
      TokenizerFiles text = ModelFiles.text(path);
      template =
          text.chatTemplate()
              .map(source -> ChatTemplate.parse(path.toString(), source))
              .orElseThrow(() -> new UnsupportedException(path + " has no chat template"));
      request.putAll(Model.specialTokens(text.tokenizer()));
    }
    request.putAll(given);
    TemplateOptions options = options(request.remove("now"));
    console.out().print(template.render(Conversation.prepare(template, request), options));
    return 0;
  }

  private TemplateOptions options(@Nullable Object now) {
    try {
      return switch (now) {
        case null -> TemplateOptions.DEFAULT;
        case String text -> TemplateOptions.DEFAULT.withNow(LocalDateTime.parse(text));
        default -> throw new FormatException(conversation + ": now is no string");
      };
    } catch (DateTimeParseException e) {
      throw new InvalidRequestException(
          conversation + ": now is " + now + ", not a time such as 2026-01-31T12:00:00", e);
    }
  }
}
