package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * All OpenCL devices of this machine. Graphics processors are preferred to the CPU backend; a
 * processor that a driver offers as a device is used only when asked for.
 */
public final class OpenClBackend implements Backend {
  private static final String NAME = "opencl";

  /**
   * A property for tests: {@code graphics} divides work as for a graphics processor on any device,
   * {@code plain} runs the plain kernels.
   */
  static final String SHAPES = "kancil.opencl.shapes";

  /**
   * A property: whether products with quantised weights may round activations to bytes and multiply
   * integers, where the device is faster that way. Results are then no longer those of float32
   * activations, so nothing else turns it on.
   */
  static final String INTEGER_DOT = "kancil.opencl.integerDot";

  /**
   * A property: whether products of many tokens with weights of half precision may round
   * activations to it and multiply halves, where the device can and is faster that way.
   */
  static final String HALF_TILES = "kancil.opencl.fp16";

  /** Device files of the drivers that there are: DRM, NVIDIA's, AMD's, WSL's, ARM's. */
  private static final List<String> GRAPHICS = List.of("dri", "nvidiactl", "kfd", "dxg", "mali0");

  /** Called by the service loader. */
  public OpenClBackend() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    boolean hasGraphics =
        mayHaveGraphics()
            && Platforms.find().devices().stream()
                .anyMatch(device -> !device.isProcessor() && device.unusableBecause() == null);
    return hasGraphics ? 20 : 0;
  }

  /**
   * Whether a graphics processor can be there at all: on Linux each has a device file. Looking for
   * one costs nothing, where loading drivers would delay every first token on the processor.
   */
  private static boolean mayHaveGraphics() {
    return !System.getProperty("os.name", "").equals("Linux")
        || GRAPHICS.stream().anyMatch(name -> Files.exists(Path.of("/dev", name)));
  }

  @Override
  public List<DeviceDescription> devices() {
    Platforms platforms = Platforms.find();
    if (platforms.devices().isEmpty()) {
      return List.of(new DeviceDescription(NAME, "", "OpenCL", 0, platforms.reason()));
    }
    List<DeviceDescription> descriptions = new ArrayList<>();
    for (int i = 0; i < platforms.devices().size(); i++) {
      descriptions.add(describe(i, platforms.devices().get(i)));
    }
    return List.copyOf(descriptions);
  }

  private static DeviceDescription describe(int index, ClDevice device) {
    List<String> kernels = new ArrayList<>(List.of(device.version()));
    kernels.addAll(device.features());
    return new DeviceDescription(
        NAME + ":" + index,
        device.name(),
        String.join(", ", kernels),
        device.memoryBytes(),
        device.unusableBecause());
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    Platforms platforms = Platforms.find();
    if (platforms.devices().isEmpty()) {
      throw new DeviceException(NAME + " is not available: " + platforms.reason());
    }
    if (index < 0 || index >= platforms.devices().size()) {
      throw new IllegalArgumentException("there is no OpenCL device " + index);
    }
    ClDevice device = platforms.devices().get(index);
    DeviceDescription description = describe(index, device);
    if (!description.isAvailable()) {
      throw new DeviceException(
          description.id() + " is not available: " + description.unavailableBecause());
    }
    ClDevice shaped =
        switch (System.getProperty(SHAPES, "")) {
          case "graphics" -> device.asGraphics();
          case "plain" -> device.asPlain();
          default -> device;
        };
    if (Boolean.getBoolean(INTEGER_DOT)) {
      shaped = shaped.allowing(Arithmetic.INTEGERS);
    }
    if (Boolean.getBoolean(HALF_TILES)) {
      shaped = shaped.allowing(Arithmetic.HALVES);
    }
    return new OpenClDevice(shaped, description, options);
  }
}
