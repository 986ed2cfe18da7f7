package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.BinaryCache;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Kernels that were compiled beforehand, for machines without NVRTC: a folder of cubins, which is
 * filled where there is a compiler and travels.
 *
 * @param folder where they lie
 * @param architecture that they are for, such as {@code sm_90}
 * @param isFilled whether what is compiled here is compiled for that architecture, too, and kept
 */
record PreparedKernels(Path folder, String architecture, boolean isFilled) implements KernelStock {
  /** A property: a folder to take kernels from. */
  private static final String TAKEN = "kancil.cuda.kernels";

  /** A property: {@code FOLDER:ARCHITECTURE}, a folder to fill. */
  private static final String FILLED = "kancil.cuda.prepare";

  /**
   * What the properties say.
   *
   * @param own the architecture of the device at hand
   * @return null if nothing
   */
  static @Nullable PreparedKernels ofProperties(String own) {
    String filled = System.getProperty(FILLED, "");
    int colon = filled.lastIndexOf(':');
    if (colon > 0) {
      return new PreparedKernels(
          Path.of(filled.substring(0, colon)), filled.substring(colon + 1), true);
    }
    String taken = System.getProperty(TAKEN, "");
    return taken.isEmpty() ? null : new PreparedKernels(Path.of(taken), own, false);
  }

  @Override
  public byte @Nullable [] find(String source, String options) {
    return isFilled ? null : images().find(source, options);
  }

  @Override
  public void keep(String source, String options, Function<String, byte[]> compile) {
    if (isFilled && images().find(source, options) == null) {
      images().keep(source, options, compile.apply(architecture));
    }
  }

  @Override
  public String name() {
    return folder.toString();
  }

  private BinaryCache images() {
    return new BinaryCache(folder, architecture);
  }
}
