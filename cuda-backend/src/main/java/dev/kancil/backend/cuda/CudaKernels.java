package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.KancilException;
import dev.kancil.UnfitDeviceException;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.kernels.KernelSource;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Kernels by file and defines, each pair compiled once for the device or taken from the cache. What
 * is known to be needed is compiled beside other work, many at once.
 */
final class CudaKernels implements AutoCloseable {
  /**
   * Functions are the device's, a product and a sum are rounded each unless {@code fma} is called,
   * and what a kernel has no use for is no fault.
   */
  private static final List<String> OPTIONS =
      List.of(
          "--device-as-default-execution-space",
          "--fmad=false",
          "--std=c++17",
          "--diag-suppress=161,177");

  private static final Pattern ERROR = Pattern.compile("(?m)([\\w.]+)\\((\\d+)\\): error: (.*)$");

  private final CudaMemory memory;
  private final @Nullable Nvrtc compiler;
  private final String architecture;
  private final BinaryCache cache;
  private final @Nullable KernelStock stock;
  private final Map<Key, Long> modules = new HashMap<>();
  private final Map<Key, CompletableFuture<Image>> images = new HashMap<>();
  private final ExecutorService compilers =
      Executors.newFixedThreadPool(
          Runtime.getRuntime().availableProcessors(),
          Thread.ofPlatform().name("kancil-nvrtc-", 0).daemon().factory());

  private record Key(String file, Map<String, String> defines) {}

  /**
   * A cubin, or PTX.
   *
   * @param isKept whether it comes from the cache, and may be damaged
   * @param module it as the driver has loaded it; 0 if it has not
   */
  private record Image(byte[] bytes, boolean isKept, long module) {
    Image(byte[] bytes, boolean isKept) {
      this(bytes, isKept, 0);
    }
  }

  /**
   * Kernels of a device.
   *
   * @param compiler null where kernels can only be those that were compiled beforehand
   * @param stock of these; null if there is none
   */
  CudaKernels(
      CudaMemory memory,
      @Nullable Nvrtc compiler,
      String architecture,
      BinaryCache cache,
      @Nullable KernelStock stock) {
    this.stock = stock;
    this.memory = memory;
    this.compiler = compiler;
    this.architecture = architecture;
    this.cache = cache;
  }

  /** Begins to compile a kernel that {@link #kernel} will be asked for. */
  synchronized void expect(String file, Map<String, String> defines) {
    Key key = new Key(file, Map.copyOf(defines));
    if (!modules.containsKey(key)) {
      images.computeIfAbsent(
          key, _ -> CompletableFuture.supplyAsync(() -> prepared(key), compilers));
    }
  }

  /**
   * A kernel, which lives as long as the device.
   *
   * @param file below the CUDA kernels' folder, or the common one
   * @param function its name in there
   * @param defines a name, and what it stands for, of each
   * @throws DeviceException if it does not compile; the message has the line of source
   */
  synchronized long kernel(String file, String function, Map<String, String> defines) {
    CudaDriver driver = memory.driver();
    try {
      long module =
          modules.computeIfAbsent(
              new Key(file, Map.copyOf(defines)), key -> load(driver, key, expected(key)));
      return driver.function(module, function);
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  /** PTX of a stock is loaded, too: the driver compiles it then, which takes as long as NVRTC. */
  private Image prepared(Key key) {
    Image image = image(key);
    if (compiler != null || stock == null) {
      return image;
    }
    try {
      MemorySegment bytes = MemorySegment.ofArray(image.bytes());
      return new Image(image.bytes(), image.isKept(), memory.driver().loadModule(bytes));
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  private Image expected(Key key) {
    CompletableFuture<Image> begun = images.remove(key);
    if (begun == null) {
      return image(key);
    }
    try {
      return begun.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof KancilException failure ? failure : e;
    }
  }

  private long load(CudaDriver driver, Key key, Image image) {
    if (image.module() != 0) {
      return image.module();
    }
    try {
      return driver.loadModule(MemorySegment.ofArray(image.bytes()));
    } catch (CudaException e) {
      if (!image.isKept()) {
        throw e;
      }
    }
    cache.forget(source(key.file(), key.defines()), options());
    return driver.loadModule(MemorySegment.ofArray(image(key).bytes()));
  }

  private static String options() {
    return String.join(" ", OPTIONS);
  }

  private Image image(Key key) {
    String file = key.file();
    String source = source(file, key.defines());
    KernelStock beforehand = stock;
    if (beforehand != null) {
      beforehand.keep(source, options(), to -> compile(requireCompiler(key), file, source, to));
    }
    byte[] bytes = cache.find(source, options());
    if (bytes == null && beforehand != null) {
      bytes = beforehand.find(source, options());
    }
    if (bytes != null) {
      return new Image(bytes, true);
    }
    bytes = compile(requireCompiler(key), file, source, architecture);
    cache.keep(source, options(), bytes);
    return new Image(bytes, false);
  }

  private Nvrtc requireCompiler(Key key) {
    if (compiler == null) {
      KernelStock beforehand = stock;
      throw new UnfitDeviceException(
          "there is no NVRTC to compile %s for %s%s; %s"
              .formatted(
                  label(key.file().replace(".h", ""), key.defines()),
                  architecture,
                  beforehand == null
                      ? ""
                      : ", and %s, of other models or of another version, has not got it"
                          .formatted(beforehand.name()),
                  PackagedKernels.REMEDY));
    }
    return compiler;
  }

  /** A kernel as errors and tables name it: with its types, columns and experts. */
  static String label(String function, Map<String, String> defines) {
    StringBuilder name = new StringBuilder(function);
    new TreeMap<>(defines)
        .forEach(
            (key, value) -> {
              if (key.startsWith("FORMAT") || key.equals("COLUMNS")) {
                name.append(' ').append(value);
              } else if (key.equals("EXPERTS")) {
                name.append(" of ").append(value).append(" experts");
              }
            });
    return name.toString();
  }

  /** A kernel file with its defines in front and its includes in place. */
  static String source(String file, Map<String, String> defines) {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(defines)
        .forEach((name, meaning) -> text.append("#define " + name + " " + meaning + "\n"));
    return text.append(KernelSource.read("cuda/" + file)).toString();
  }

  /** The PTX or the cubin of a source. */
  static byte[] compile(Nvrtc compiler, String file, String source, String architecture) {
    try {
      return compiler.compile(source, file, architecture, OPTIONS);
    } catch (CudaException e) {
      throw new DeviceException(explain(String.valueOf(e.getMessage()), source), e);
    }
  }

  /** The first error of a log with its line of source, or else the log's first line. */
  static String explain(String log, String source) {
    Matcher error = ERROR.matcher(log);
    if (!error.find()) {
      return log.lines().findFirst().orElse(log);
    }
    List<String> lines = source.lines().toList();
    int line = Integer.parseInt(error.group(2));
    String text = line >= 1 && line <= lines.size() ? lines.get(line - 1).strip() : "";
    return "NVRTC can't compile %s: %s, in line %d: %s"
        .formatted(error.group(1), error.group(3), line, text);
  }

  @Override
  public synchronized void close() {
    compilers.shutdownNow();
    if (compiler == null) {
      awaitLoads();
    }
    modules.values().forEach(this::unload);
    modules.clear();
  }

  private void unload(long module) {
    memory.release(driver -> driver.unloadModule(module));
  }

  /** Unloads what was loaded and never asked for. */
  private void awaitLoads() {
    try {
      if (!compilers.awaitTermination(1, TimeUnit.MINUTES)) {
        // The context takes the rest along.
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    for (CompletableFuture<Image> image : images.values()) {
      if (image.state() == Future.State.SUCCESS && image.resultNow().module() != 0) {
        unload(image.resultNow().module());
      }
    }
    images.clear();
  }
}
