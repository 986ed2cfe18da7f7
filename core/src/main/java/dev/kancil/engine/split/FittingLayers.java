package dev.kancil.engine.split;

import dev.kancil.backend.Device;
import dev.kancil.engine.Engine;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphCut;
import dev.kancil.graph.fusion.Fusion;
import java.util.OptionalLong;

/** How many of a model's layers a device has memory for. */
public final class FittingLayers {
  /** What stays free for code, for what the driver keeps, and for what the estimate leaves out. */
  private static final long MOST_RESERVED = 256L << 20;

  private static final int RESERVED_SHARE = 16;

  private FittingLayers() {}

  /**
   * Counts the last layers that fit on a device with all that follows them.
   *
   * @param graph of the model, in primitives, with the value {@link Engine#LOGITS}
   * @param limits of the engine that will run it
   * @return 0 to all layers; all means the whole model, what comes before the layers included
   */
  public static int count(Device device, Graph graph, Engine.Limits limits) {
    int layers = graph.layers();
    OptionalLong free = device.freeBytes();
    if (free.isEmpty()) {
      return layers;
    }
    long usable = free.getAsLong() - Math.min(MOST_RESERVED, free.getAsLong() / RESERVED_SHARE);
    if (bytes(device, graph, limits, layers) <= usable) {
      return layers;
    }
    int fitting = 0;
    int tooMany = layers;
    while (tooMany - fitting > 1) {
      int count = (fitting + tooMany) / 2;
      if (bytes(device, graph, limits, count) <= usable) {
        fitting = count;
      } else {
        tooMany = count;
      }
    }
    return fitting;
  }

  /** About what a model's last layers take of a device's memory. */
  private static long bytes(Device device, Graph graph, Engine.Limits limits, int count) {
    Graph sampled = graph.sampled(Engine.LOGITS);
    int first = graph.layers() - count;
    Graph part =
        first == 0 ? sampled : GraphCut.behind(sampled, Graph.layerOutput(first - 1)).after();
    return device.bytesFor(
        Fusion.fuse(part, device::takes),
        limits.step(graph.value(Engine.LOGITS).type().columns()),
        limits.sequences(),
        limits.cacheTokens());
  }
}
