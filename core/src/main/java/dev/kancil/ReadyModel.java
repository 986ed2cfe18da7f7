package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.Engine;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;

/**
 * A model on its devices.
 *
 * @param resources what is to be closed; where layers are divided, the chosen device is not among
 *     it
 * @param chosen the device that was chosen
 */
record ReadyModel(
    Resources resources, Device chosen, Placement placement, DeviceWeights weights, Engine engine) {
  /**
   * Brings a model to a device, or to that and the CPU.
   *
   * @param graph that chooses tokens
   * @param context tokens of a session
   * @throws DeviceException if a device has too little memory, or can't run the model
   */
  static ReadyModel of(
      Device chosen,
      LoadedModel loaded,
      Graph graph,
      int context,
      ModelOptions options,
      DeviceOptions deviceOptions) {
    Resources resources = new Resources();
    try {
      Engine.Limits limits =
          new Engine.Limits(
              options.stepTokensFor(chosen.stepTokens(), context),
              options.sessions(),
              context,
              Math.multiplyExact(context, options.sessions()));
      Placement placement =
          Placement.of(
              chosen,
              largest(loaded, graph),
              options.gpuLayers(),
              limits,
              () -> Backends.open(Backends.CPU, deviceOptions));
      Device device = resources.add(placement.device(), Device::close);
      DeviceWeights weights = resources.add(device.weights(loaded.weights()), DeviceWeights::close);
      Engine engine = resources.add(engine(device, loaded, graph, weights, limits), Engine::close);
      return new ReadyModel(resources, chosen, placement, weights, engine);
    } catch (Throwable e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** The graph that reads most weights. */
  private static Graph largest(LoadedModel loaded, Graph graph) {
    return loaded instanceof LoadedModel.OfDecoder decoder
        ? decoder.choosing().orElse(graph)
        : graph;
  }

  private static Engine engine(
      Device device, LoadedModel loaded, Graph graph, DeviceWeights weights, Engine.Limits limits) {
    return switch (loaded) {
      case LoadedModel.OfEncoderDecoder both -> new Engine(device, both, weights, limits);
      case LoadedModel.OfDecoder decoder -> new Engine(device, decoder, weights, limits);
      case LoadedModel.OfEncoder _, LoadedModel.OfEncoders _ ->
          new Engine(device, graph, weights, limits);
    };
  }
}
