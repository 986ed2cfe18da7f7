package dev.kancil.backend.cpu;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.host.HostDevice;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.tensor.DataType;
import java.util.Locale;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Puts the device together, of native kernels or the Vector API. */
final class CpuDevice {
  // Of steps of many rows, as activations.h says.
  private static final ActivationRounding TWO_BYTES = new ActivationRounding(32_639, 32);
  private static final ActivationRounding WORDS = new ActivationRounding(4095, 256);

  /** Half a unit of BF16's last place is at most a 256th of a number: a step of a 128th. */
  private static final ActivationRounding BRAIN_FLOATS = new ActivationRounding(128, 1);

  private CpuDevice() {}

  static Device open(DeviceDescription description, DeviceOptions options) {
    NativeLibrary library = NativeLibrary.find().library();
    if (library == null) {
      Rehearsal.begin();
    }
    WorkerPool pool = new WorkerPool(options.threadsOrCores());
    Scratch scratch = new Scratch(pool.threads());
    return new HostDevice(
        description,
        options,
        () -> new CpuLowering(library, pool, scratch),
        fused -> !(fused instanceof NormedProduct),
        type -> rounding(type, library),
        pool::close,
        () -> OptionalDouble.of(ReadSpeed.measure(pool)));
  }

  private static ActivationRounding rounding(DataType type, @Nullable NativeLibrary library) {
    if (library == null || !library.takes(type)) {
      return ActivationRounding.NONE;
    }
    return switch (library.product(type).form(TileProduct.MANY)) {
      case BRAIN_FLOATS -> BRAIN_FLOATS;
      case WORDS -> WORDS;
      case TWO_BYTES -> TWO_BYTES;
      case THREE_BYTES, FLOATS -> ActivationRounding.NONE;
    };
  }

  /**
   * What products run on: native kernels, or else why there are none, and the Vector API's width.
   */
  static String kernels(NativeLibrary.Found found) {
    if (found.library() != null) {
      return "native, " + found.library().set().label;
    }
    int bits = Lanes.FLOATS.vectorBitSize();
    String set = instructionSet(bits, System.getProperty("os.arch"));
    return "Vector API, %d bits%s; no native kernels: %s"
        .formatted(bits, set, found.missingBecause());
  }

  private static String instructionSet(int bits, String architecture) {
    return switch (architecture.toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> bits >= 512 ? " (AVX-512)" : bits >= 256 ? " (AVX2)" : " (SSE)";
      case "aarch64" -> bits > 128 ? " (SVE)" : " (NEON)";
      default -> "";
    };
  }
}
