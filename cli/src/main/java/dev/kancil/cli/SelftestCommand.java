package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.cli.pull.Progress;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.Report;
import dev.kancil.conformance.Result;
import dev.kancil.conformance.Result.Status;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "selftest",
    description = "Holds every operation of a device to the scalar reference.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Each operation runs with every type and odd sizes between guard zones. Exit status 1 if a",
      "result is wrong or a byte beside it was touched."
    })
final class SelftestCommand implements Callable<Integer> {
  private static final int SHOWN = 20;
  private static final int MOST_AT_ONCE = 16;

  /** Nanoseconds between lines that say how far it is, where no bar does. */
  private static final long TOLD_EVERY = 10_000_000_000L;

  private final Console console;

  @Option(
      names = "--device",
      paramLabel = "ID",
      defaultValue = "auto",
      description = "auto, or what `kancil devices` lists. Default: auto.")
  private String device = "auto";

  @Option(
      names = "--case",
      paramLabel = "REGEX",
      defaultValue = "",
      description = "Only cases, such as `MatMul Q4_K 3 x 256`, in which this is found.")
  private String pattern = "";

  @Option(
      names = "--every",
      paramLabel = "N",
      defaultValue = "1",
      description = "Only every N-th of them.")
  private int every = 1;

  @Option(
      names = "--at-once",
      paramLabel = "N",
      defaultValue = "0",
      description = {
        "So many at a time, since most of the time is the compiler's.",
        "Default: as many as there are processors for NVIDIA devices, else 1."
      })
  private int atOnce;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  SelftestCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    List<Case> cases = cases();
    DeviceDescription tested;
    try (Device opened = open()) {
      tested = opened.description();
    }
    console.message(
        cases.size() + " cases on " + tested.id() + ": " + tested.name() + ", " + tested.kernels());
    Report report;
    try (Progress progress = console.counting("Testing", cases.size())) {
      Results results = new Results(cases.size(), progress);
      report =
          Conformance.run(
              this::open,
              () -> Backends.open("reference", DeviceOptions.DEFAULT),
              devices(tested),
              cases,
              results::add);
    }
    print(report);
    return report.failures().isEmpty() ? 0 : 1;
  }

  private Device open() {
    return Backends.open(device, DeviceOptions.DEFAULT.withGuards());
  }

  private int devices(DeviceDescription tested) {
    if (atOnce < 0 || atOnce > MOST_AT_ONCE) {
      throw new InvalidRequestException("--at-once is 1 to " + MOST_AT_ONCE);
    }
    if (atOnce > 0) {
      return atOnce;
    }
    int processors = Runtime.getRuntime().availableProcessors();
    return tested.id().startsWith("cuda") ? Math.min(processors, MOST_AT_ONCE) : 1;
  }

  /** Tells of failures as they come, so that they are known even if the run is cut off. */
  private final class Results {
    private final int cases;
    private final Progress progress;
    private int done;
    private int failed;
    private long told = System.nanoTime();

    Results(int cases, Progress progress) {
      this.cases = cases;
      this.progress = progress;
    }

    void add(Result result) {
      done++;
      progress.done(done);
      if (result.status() == Status.FAILED && ++failed <= SHOWN) {
        console.message(result.toString());
      }
      if (!console.isTerminal() && System.nanoTime() - told > TOLD_EVERY) {
        told = System.nanoTime();
        console.message(done + " of " + cases + " cases, " + failed + " failed");
      }
    }
  }

  private List<Case> cases() {
    if (every < 1) {
      throw new InvalidRequestException("--every is 1 or more");
    }
    Pattern wanted;
    try {
      wanted = Pattern.compile(pattern);
    } catch (PatternSyntaxException e) {
      throw new InvalidRequestException("--case " + pattern + " is no regular expression");
    }
    List<Case> matching =
        Conformance.cases().stream().filter(one -> wanted.matcher(one.toString()).find()).toList();
    List<Case> chosen = new ArrayList<>();
    for (int i = 0; i < matching.size(); i += every) {
      chosen.add(matching.get(i));
    }
    if (chosen.isEmpty()) {
      throw new InvalidRequestException("no case has " + pattern);
    }
    return chosen;
  }

  private void print(Report report) {
    Map<String, List<Result>> byOp = new TreeMap<>();
    for (Result result : report.results()) {
      byOp.computeIfAbsent(result.tested().op(), _ -> new ArrayList<>()).add(result);
    }
    if (json) {
      List<Object> ops = new ArrayList<>();
      byOp.forEach(
          (op, results) ->
              ops.add(
                  Json.object(
                      "op", op,
                      "passed", count(results, Status.PASSED),
                      "passed_in_parts", count(results, Status.PASSED_IN_PARTS),
                      "refused", count(results, Status.REFUSED),
                      "failed", count(results, Status.FAILED))));
      Json.print(
          console,
          Json.object(
              "device", report.device().id(),
              "ops", ops,
              "failures", report.failures().stream().map(Result::toString).toList()));
      return;
    }
    Table table =
        new Table("OPERATION", "PASSED", "IN PARTS", "REFUSED", "FAILED", "NEAREST LIMIT");
    byOp.forEach(
        (op, results) ->
            table.row(
                op,
                String.valueOf(count(results, Status.PASSED)),
                String.valueOf(count(results, Status.PASSED_IN_PARTS)),
                String.valueOf(count(results, Status.REFUSED)),
                String.valueOf(count(results, Status.FAILED)),
                nearest(results)));
    table.print(console.out());
  }

  private static int count(List<Result> results, Status status) {
    return (int) results.stream().filter(result -> result.status() == status).count();
  }

  /** The error that comes nearest to what is allowed, as a share of it. */
  private static String nearest(List<Result> results) {
    return results.stream()
        .filter(result -> result.limit() > 0 && !Double.isNaN(result.error()))
        .map(result -> result.error() / result.limit())
        .max(Comparator.naturalOrder())
        .map(share -> String.format(Locale.ROOT, "%.2g", share))
        .orElse("");
  }
}
