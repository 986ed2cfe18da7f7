package dev.kancil.backend.cuda;

import dev.kancil.backend.UserCache;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.bindings.cuda.Nvrtc;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Collects what a device that is not there asks for. */
final class CollectedKernels implements KernelStock {
  private final KernelTarget target;
  private final KernelArchiveWriter writer;
  private final BinaryCache cache;
  private final Set<String> sources = new HashSet<>();

  /**
   * @param target of the device
   * @param writer gets the kernels
   */
  CollectedKernels(KernelTarget target, Nvrtc compiler, KernelArchiveWriter writer) {
    this.target = target;
    this.writer = writer;
    cache = cache(compiler, target.architecture());
  }

  /** Where kernels lie that a compiler has made for an architecture. */
  static BinaryCache cache(@Nullable Nvrtc compiler, String architecture) {
    // What a kernel becomes depends on the compiler and the device's architecture alone.
    return new BinaryCache(
        UserCache.folder(System::getenv).resolve("cuda"),
        (compiler == null ? "" : "NVRTC " + compiler.version()) + "\n" + architecture);
  }

  @Override
  public byte @Nullable [] find(String source, String options) {
    return null;
  }

  @Override
  public void keep(String source, String options, Function<String, byte[]> compile) {
    synchronized (sources) {
      if (!sources.add(source)) {
        return;
      }
    }
    byte[] ptx = cache.find(source, options);
    if (ptx == null) {
      ptx = compile.apply(target.architecture());
      cache.keep(source, options, ptx);
    }
    writer.add(target, source, options, ptx);
  }

  @Override
  public String name() {
    return "what is collected";
  }
}
