package dev.kancil.cli;

import dev.kancil.ModelFiles;
import dev.kancil.text.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "tokenize",
    description = "Shows the token ids of a text.",
    mixinStandardHelpOptions = true)
final class TokenizeCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Parameters(index = "1", arity = "0..1", paramLabel = "TEXT", description = "The text.")
  private @Nullable String text;

  @Option(names = "--file", paramLabel = "FILE", description = "A file with the text, or -.")
  private @Nullable String textFile;

  @Option(names = "--no-bos", description = "Add no token that begins or ends a text.")
  private boolean withoutBos;

  @Option(names = "--no-special", description = "Take what spells special tokens for plain text.")
  private boolean withoutSpecial;

  @Option(names = "--json", description = "Print ids and pieces as JSON.")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  TokenizeCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    String input = input();
    Tokenizer tokenizer = ModelFiles.text(model.path(console)).tokenizer();
    int[] ids = tokenizer.encode(input, !withoutBos, !withoutSpecial);
    if (json) {
      List<String> pieces = Arrays.stream(ids).mapToObj(tokenizer::piece).toList();
      Json.print(console, Json.object("ids", ids, "pieces", pieces));
    } else {
      console
          .out()
          .println(Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
    }
    return 0;
  }

  private String input() {
    if (text != null && textFile == null) {
      return text;
    }
    if (textFile != null && text == null) {
      return Texts.read(textFile, console);
    }
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "either TEXT or --file FILE is needed");
  }
}
