package dev.kancil.cli;

import dev.kancil.cli.pull.BuiltIn;
import dev.kancil.cli.pull.ModelCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "list",
    description = "Lists the models that are here and those with built-in names.",
    mixinStandardHelpOptions = true)
final class ListCommand implements Callable<Integer> {
  private final Console console;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  ListCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    List<ModelCache.Entry> here = ModelCache.ofUser(console.environment()).entries();
    List<BuiltIn> others = new ArrayList<>(List.of(BuiltIn.values()));
    others.removeIf(model -> here.stream().anyMatch(e -> e.name().equals(model.shortName())));
    if (json) {
      List<Map<String, @Nullable Object>> models = new ArrayList<>();
      for (ModelCache.Entry entry : here) {
        models.add(
            Json.object(
                "name", entry.name(),
                "path", entry.path().toString(),
                "bytes", entry.bytes(),
                "origin", entry.origin()));
      }
      for (BuiltIn model : others) {
        models.add(
            Json.object(
                "name", model.shortName(),
                "path", null,
                "bytes", model.bytes(),
                "origin", model.reference().toString()));
      }
      Json.print(console, Json.object("models", models));
      return 0;
    }
    Table table = new Table("NAME", "SIZE", "WHERE");
    for (ModelCache.Entry entry : here) {
      table.row(entry.name(), Table.bytes(entry.bytes()), entry.path().toString());
    }
    for (BuiltIn model : others) {
      table.row(
          model.shortName(),
          Table.bytes(model.bytes()),
          "not fetched yet: " + model.description() + " (" + model.licence() + ")");
    }
    table.print(console.out());
    return 0;
  }
}
