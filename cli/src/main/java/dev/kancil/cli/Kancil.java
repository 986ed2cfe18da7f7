package dev.kancil.cli;

import dev.kancil.KancilException;
import dev.kancil.MissingModuleException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The command with its subcommands. Results go to standard output, all else to standard error. */
@Command(
    name = "kancil",
    description = "Runs transformer models on the JVM.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = Kancil.Version.class,
    footer = {
      "",
      "A MODEL is a GGUF file, a name that `kancil list` shows, or a reference that `kancil pull` takes.",
      "Exit status: 0 done, 1 failed, 2 wrong usage."
    })
public final class Kancil {
  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show the stack trace of an error.")
  boolean debug;

  private Kancil() {}

  /** Runs a command and ends the process with its exit status. */
  public static void main(String[] arguments) {
    System.exit(run(Console.ofProcess(), arguments));
  }

  /**
   * Runs a command.
   *
   * @return 0 done, 1 failed, 2 wrong usage
   */
  static int run(Console console, String... arguments) {
    Kancil kancil = new Kancil();
    CommandLine commandLine = new CommandLine(kancil);
    addCommands(commandLine, console, arguments);
    commandLine.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setExecutionExceptionHandler(
        (failure, _, _) -> {
          if (failure instanceof MissingModuleException missing
              && console.in() instanceof RememberedInput input) {
            return Relaunch.with(missing.module(), input.bytes(), arguments);
          }
          console.message(
              failure instanceof KancilException
                  ? String.valueOf(failure.getMessage())
                  : "failed: " + failure);
          if (kancil.debug) {
            failure.printStackTrace(console.err());
          }
          return 1;
        });
    commandLine.setParameterExceptionHandler(
        (failure, _) -> {
          console.message(String.valueOf(failure.getMessage()));
          console.message(
              "`"
                  + failure.getCommandLine().getCommandSpec().qualifiedName()
                  + " --help` shows how");
          return 2;
        });
    int status = commandLine.execute(arguments.length == 0 ? new String[] {"--help"} : arguments);
    console.out().flush();
    return status;
  }

  /** Adds the command that is asked for, or all: each takes time to describe itself. */
  private static void addCommands(CommandLine commandLine, Console console, String... arguments) {
    Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
    commands.put("run", () -> new RunCommand(console));
    commands.put("chat", () -> new ChatCommand(console));
    commands.put("pull", () -> new PullCommand(console));
    commands.put("list", () -> new ListCommand(console));
    commands.put("show", () -> new ShowCommand(console));
    commands.put("convert", () -> new ConvertCommand(console));
    commands.put("synth", () -> new SynthCommand(console));
    commands.put("kernels", () -> new KernelsCommand(console));
    commands.put("devices", () -> new DevicesCommand(console));
    commands.put("selftest", () -> new SelftestCommand(console));
    commands.put("bench", () -> new BenchCommand(console));
    commands.put("tokenize", () -> new TokenizeCommand(console));
    commands.put("template", () -> new TemplateCommand(console));
    commands.put("forward", () -> new ForwardCommand(console));
    commands.put("embed", () -> new EmbedCommand(console));
    commands.put("rerank", () -> new RerankCommand(console));
    commands.put("classify", () -> new ClassifyCommand(console));
    commands.put("rehearse", () -> new RehearseCommand(console));
    // No method reference: to a class as old as the library's it crashes the JVM that writes an
    // ahead-of-time cache.
    commands.put("help", () -> new CommandLine.HelpCommand());
    Supplier<Object> wanted =
        arguments.length > 0 && !arguments[0].equals("help") ? commands.get(arguments[0]) : null;
    for (Supplier<Object> command : wanted == null ? commands.values() : List.of(wanted)) {
      commandLine.addSubcommand(command.get());
    }
  }

  /** Reads the version from the JAR's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Kancil.class.getPackage().getImplementationVersion();
      return new String[] {
        "kancil " + (version == null ? "(not packaged)" : version), "Java " + Runtime.version()
      };
    }
  }
}
