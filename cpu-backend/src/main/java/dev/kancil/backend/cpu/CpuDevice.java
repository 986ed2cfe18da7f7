package dev.kancil.backend.cpu;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.host.HostDevice;
import dev.kancil.graph.op.NormedProduct;
import java.util.Locale;
import java.util.OptionalDouble;

/** Puts the device together, of native kernels or the Vector API. */
final class CpuDevice {
  /** Of steps of many rows: numbers of two bytes, as activations.h says. */
  private static final ActivationRounding ROUNDING = new ActivationRounding(32_639, 32);

  private CpuDevice() {}

  static Device open(DeviceDescription description, DeviceOptions options) {
    NativeLibrary library = NativeLibrary.find().library();
    if (library == null) {
      Rehearsal.begin();
    }
    WorkerPool pool = new WorkerPool(options.threadsOrProcessors());
    Scratch scratch = new Scratch(pool.threads());
    return new HostDevice(
        description,
        options,
        () -> new CpuLowering(library, pool, scratch),
        fused -> !(fused instanceof NormedProduct),
        type ->
            library != null && type.isQuantized() && library.takes(type)
                ? ROUNDING
                : ActivationRounding.NONE,
        pool::close,
        () -> OptionalDouble.of(ReadSpeed.measure(pool)));
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
