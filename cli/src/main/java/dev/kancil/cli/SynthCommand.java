package dev.kancil.cli;

import dev.kancil.ModelFiles;
import dev.kancil.cli.pull.Progress;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.format.synthetic.SyntheticModel;
import dev.kancil.format.synthetic.SyntheticVocabulary;
import dev.kancil.text.tokenizer.GgufVocabulary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "synth",
    description = "Writes a model with random weights, for measuring.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "What `kancil bench synthetic:SHAPE:TYPE` measures without a file (its help names",
      "shapes and types) as a GGUF file, which other software reads, too. Each layer",
      "has weights of its own in it."
    })
final class SynthCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      index = "0",
      paramLabel = "SHAPE:TYPE",
      description = "What to write, such as llama-1b:Q4_K_M.")
  private String wanted = "";

  @Parameters(index = "1", paramLabel = "OUT.gguf", description = "The file to write.")
  private Path target = Path.of("");

  @Option(
      names = "--vocabulary",
      paramLabel = "MODEL",
      description =
          "Take that model's tokens, cut or filled up to the shape's number. Default: syllables.")
  private String vocabulary = "";

  SynthCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    SyntheticModel model =
        SyntheticModel.parse(
            SyntheticModel.isNamed(wanted) ? wanted : SyntheticModel.PREFIX + wanted);
    model.requireWritable();
    GgufWriter.requireFolder(target);
    SyntheticVocabulary tokens =
        vocabulary.isEmpty()
            ? SyntheticVocabulary.GENERATED
            : read(ModelArgument.find(vocabulary, console));
    try (Progress progress = console.progress().begin("Writing " + target, model.bytes())) {
      model.write(target, tokens, progress::done);
    }
    console.out().println(target);
    return 0;
  }

  private static SyntheticVocabulary read(Path path) {
    if (Files.isDirectory(path)) {
      long size = ModelFiles.text(path).tokenizer().vocabularySize();
      return SyntheticVocabulary.of(
          new GgufMetadata(path.toString(), GgufVocabulary.of(path, size, Optional.empty())));
    }
    try (GgufFile file = GgufFile.open(path)) {
      return SyntheticVocabulary.of(file.metadata());
    }
  }
}
