package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.ModelFiles;
import dev.kancil.ModelKernels;
import dev.kancil.ModelOptions;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.KernelCompiler;
import dev.kancil.cli.pull.Progress;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.format.gguf.GgufWriter;
import dev.kancil.format.synthetic.SyntheticModel;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "kernels",
    description = "Compiles models' kernels for machines that have a GPU and no compiler.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "It needs NVRTC (pip install nvidia-cuda-nvrtc) and no GPU. On the other machine, with a driver of",
      "CUDA 12.0 or later, KANCIL_KERNELS names the file, or it lies on the class path: it is a JAR.",
      "Kernels depend on a model's sizes and types of weights, and on what the cache holds: models that",
      "have these in common share them. A MODEL can be synthetic:SHAPE:TYPE, too, as for `kancil bench`.",
      "Kinds of devices that can't run a model are told and left out."
    })
final class KernelsCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      arity = "0..*",
      paramLabel = "MODEL",
      description = "GGUF files, folders of transformers, or names that `kancil list` shows.")
  private List<String> models = List.of();

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "FILE",
      description = "The file to write, such as kernels.jar.")
  private Path target = Path.of("");

  @Option(
      names = "--for",
      split = ",",
      paramLabel = "ARCH",
      description = "75, 80 and 90a, of which 80 is for all later devices but 9.0. Default: all.")
  private List<String> architectures = List.of();

  @Option(
      names = "--cache-type-k",
      paramLabel = "TYPE",
      defaultValue = "f16",
      converter = DeviceSettings.CacheType.class,
      description = "How keys are to be cached. Default: f16.")
  private DataType keyType = DataType.F16;

  @Option(
      names = "--cache-type-v",
      paramLabel = "TYPE",
      defaultValue = "f16",
      converter = DeviceSettings.CacheType.class,
      description = "How values are to be cached. Default: f16.")
  private DataType valueType = DataType.F16;

  @Option(names = "--embed", description = "For `kancil embed`, where a model would else generate.")
  private boolean isEncoder;

  @Option(names = "--selftest", description = "For `kancil selftest`, too.")
  private boolean testsItself;

  @Mixin private LoraOption lora = new LoraOption();
  @Mixin private BesideOption beside = new BesideOption();

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  KernelsCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    if (models.isEmpty() && !testsItself) {
      throw new InvalidRequestException("name a MODEL whose kernels are to be compiled");
    }
    GgufWriter.requireFolder(target);
    KernelCompiler compiler = compiler();
    ModelOptions options =
        beside
            .with(
                ModelOptions.builder()
                    .adapters(lora.adapters)
                    .cacheKeyType(keyType)
                    .cacheValueType(valueType))
            .build();
    List<Integer> counts = new ArrayList<>();
    List<List<String>> unfit = new ArrayList<>();
    for (String model : models) {
      int before = compiler.count();
      unfit.add(ModelKernels.compile(files(model), options, isEncoder, compiler));
      counts.add(compiler.count() - before);
      unfit.getLast().forEach(kind -> console.message("%s: not for %s".formatted(model, kind)));
      console.message("%s: %d more kernels".formatted(model, counts.getLast()));
    }
    if (testsItself) {
      compileCases(compiler);
    }
    compiler.write(target);
    report(compiler, counts, unfit);
    return 0;
  }

  private void compileCases(KernelCompiler compiler) {
    List<Case> cases = Conformance.cases();
    int kinds = compiler.kinds().size();
    int before = compiler.count();
    try (Progress progress = console.counting("Compiling", (long) kinds * cases.size())) {
      for (int kind = 0; kind < kinds; kind++) {
        try (Device device = compiler.open(kind, DeviceOptions.DEFAULT)) {
          for (int i = 0; i < cases.size(); i++) {
            Conformance.compile(device, cases.get(i));
            progress.done((long) kind * cases.size() + i + 1);
          }
        }
      }
    }
    console.message("selftest: %d more kernels".formatted(compiler.count() - before));
  }

  private KernelCompiler compiler() {
    for (Backend backend : Backends.all()) {
      Optional<KernelCompiler> compiler = backend.kernelCompiler(architectures);
      if (compiler.isPresent()) {
        return compiler.get();
      }
    }
    throw new InvalidRequestException(
        "no backend compiles kernels beforehand; add kancil-cuda-backend to the class path");
  }

  private Supplier<ModelFiles> files(String model) {
    if (SyntheticModel.isNamed(model)) {
      SyntheticModel synthetic = SyntheticModel.parse(model);
      return () -> ModelFiles.of(synthetic.open());
    }
    Path path = ModelArgument.find(model, console);
    return () -> ModelFiles.open(path);
  }

  private void report(KernelCompiler compiler, List<Integer> counts, List<List<String>> unfit) {
    long bytes;
    try {
      bytes = Files.size(target);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (json) {
      List<Object> list = new ArrayList<>();
      for (int i = 0; i < models.size(); i++) {
        list.add(
            Json.object(
                "model", models.get(i),
                "further_kernels", counts.get(i),
                "not_for", unfit.get(i)));
      }
      Json.print(
          console,
          Json.object(
              "file", target.toString(),
              "bytes", bytes,
              "kernels", compiler.count(),
              "kinds", compiler.kinds(),
              "models", list));
      return;
    }
    console
        .out()
        .println(
            String.format(
                Locale.ROOT, "%s: %d kernels, %s", target, compiler.count(), Table.bytes(bytes)));
  }
}
