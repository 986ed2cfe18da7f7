package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.engine.Engine;
import dev.kancil.engine.split.FittingLayers;
import dev.kancil.engine.split.SplitDevice;
import dev.kancil.graph.Graph;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where a model's layers run.
 *
 * @param device that runs the whole model, be it one or two
 * @param layers how many there are
 * @param chosenLayers how many of them, the last ones, run on the chosen device
 * @param other where the others run; null if there are none
 */
public record Placement(
    Device device, int layers, int chosenLayers, @Nullable DeviceDescription other) {
  /**
   * Divides a model.
   *
   * @param chosen the device that was asked for, which stays the caller's to close
   * @param wanted how many layers run there ({@link ModelOptions#gpuLayers})
   * @param limits of the engine that will run the model
   * @param cpu opens the CPU; what is opened is closed with {@link #device}
   * @throws InvalidRequestException if layers are asked for on a device other than the CPU, and
   *     there is none, or of a model whose graph names no layers
   */
  public static Placement of(
      Device chosen, Graph graph, int wanted, Engine.Limits limits, Supplier<Device> cpu) {
    int layers = graph.layers();
    int count = count(chosen, graph, wanted, limits);
    if (count == layers) {
      return new Placement(chosen, layers, layers, null);
    }
    Device opened = cpu.get();
    try {
      Device device = count == 0 ? opened : new SplitDevice(opened, chosen, graph, layers - count);
      return new Placement(device, layers, count, opened.description());
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  /**
   * Whether neither a device is asked for nor layers on one that is not the CPU.
   *
   * @param device as options name it
   * @param wanted how many layers run there ({@link ModelOptions#gpuLayers})
   */
  public static boolean leavesDeviceOpen(String device, int wanted) {
    return device.equals(Backends.AUTO)
        && (wanted == ModelOptions.ALL_LAYERS || wanted == ModelOptions.AUTO_LAYERS);
  }

  private static int count(Device chosen, Graph graph, int wanted, Engine.Limits limits) {
    boolean isCpu = chosen.description().id().equals(Backends.CPU);
    return switch (wanted) {
      case ModelOptions.ALL_LAYERS -> graph.layers();
      case ModelOptions.AUTO_LAYERS ->
          isCpu ? graph.layers() : FittingLayers.count(chosen, graph, limits);
      default -> {
        if (isCpu && wanted > 0) {
          throw new InvalidRequestException(
              "gpu layers "
                  + wanted
                  + " are asked for, but the device is the CPU; `kancil devices` says which others"
                  + " there are");
        }
        if (wanted > 0 && graph.layers() == 0) {
          throw new InvalidRequestException(
              "gpu layers divide models that have a decoder alone, and this one is none");
        }
        yield isCpu ? graph.layers() : Math.min(wanted, graph.layers());
      }
    };
  }
}
