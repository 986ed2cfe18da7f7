package dev.kancil.backend.cpu;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.host.HostDevice;
import dev.kancil.graph.op.NormedProduct;
import java.util.Locale;
import java.util.OptionalDouble;

/** Puts the device together; the first class that touches the vector module. */
final class CpuDevice {
  private CpuDevice() {}

  static Device open(DeviceDescription description, DeviceOptions options) {
    Rehearsal.begin();
    WorkerPool pool = new WorkerPool(options.threadsOrProcessors());
    Scratch scratch = new Scratch(pool.threads());
    return new HostDevice(
        description,
        options,
        () -> new CpuLowering(pool, scratch),
        fused -> !(fused instanceof NormedProduct),
        pool::close,
        () -> OptionalDouble.of(ReadSpeed.measure(pool)));
  }

  /** Vector width and the instruction set that it stands for. */
  static String kernels() {
    int bits = Lanes.FLOATS.vectorBitSize();
    return "Vector API, " + bits + " bits" + instructionSet(bits, System.getProperty("os.arch"));
  }

  private static String instructionSet(int bits, String architecture) {
    return switch (architecture.toLowerCase(Locale.ROOT)) {
      case "amd64", "x86_64" -> bits >= 512 ? " (AVX-512)" : bits >= 256 ? " (AVX2)" : " (SSE)";
      case "aarch64" -> bits > 128 ? " (SVE)" : " (NEON)";
      default -> "";
    };
  }
}
