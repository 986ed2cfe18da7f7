package dev.kancil;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.KernelCompiler;
import dev.kancil.backend.StepLimits;
import dev.kancil.engine.EncoderPass;
import dev.kancil.engine.Engine;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Adapter;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphCut;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Compiles the kernels that a model needs, for machines that have no compiler. */
public final class ModelKernels {
  /** As many rows of a step have outputs as make any difference to kernels. */
  private static final int SESSIONS = 64;

  private ModelKernels() {}

  /**
   * Compiles all that a model needs on each kind of device, be its steps of few rows or of many,
   * and however many of its layers run there.
   *
   * @param opened opens the model's files, once for each kind; they are closed here
   * @param options of which types of the cache, context length, adapters and progress count
   * @param isEncoder whether a decoder is to be compiled as one that yields vectors of texts;
   *     encoders are in any case
   * @throws FormatException if a file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if its architecture is not supported, or it sees images
   * @throws InvalidRequestException if an option doesn't fit the model
   * @return kinds of devices that can't run the model, with the reason of each; never all of them
   * @throws DeviceException if a kernel doesn't compile, or no kind of device can run the model
   */
  public static List<String> compile(
      Supplier<ModelFiles> opened,
      ModelOptions options,
      boolean isEncoder,
      KernelCompiler compiler) {
    DeviceOptions deviceOptions = DeviceOptions.DEFAULT.withProgress(options.progress());
    List<String> kinds = compiler.kinds();
    List<String> unfit = new ArrayList<>();
    for (int kind = 0; kind < kinds.size(); kind++) {
      try (ModelFiles files = opened.get();
          Device device = compiler.open(kind, deviceOptions)) {
        LoadedModel loaded = load(files, options);
        switch (loaded) {
          case LoadedModel.OfDecoder _, LoadedModel.OfEncoder _ when isEncoder ->
              compileEncoder(files, options, device);
          case LoadedModel.OfDecoder model -> compile(device, model, options);
          case LoadedModel.OfEncoder _ -> compileEncoder(files, options, device);
          case LoadedModel.OfEncoderDecoder model -> compile(device, model, options);
          case LoadedModel.OfEncoders _ ->
              throw new UnsupportedException(
                  files.path() + ": kernels are compiled beforehand for models of texts alone");
        }
      } catch (UnfitDeviceException e) {
        unfit.add(kinds.get(kind) + ": " + e.getMessage());
        if (unfit.size() == kinds.size()) {
          throw new UnfitDeviceException(String.join("; ", unfit));
        }
      }
    }
    return List.copyOf(unfit);
  }

  private static LoadedModel load(ModelFiles files, ModelOptions options) {
    List<Adapter> adapters = files.adapters(options.adapters());
    List<List<Adapter>> choices =
        options.namedAdapters().values().stream().map(files::adapters).toList();
    return Families.open(
        files.checkpoint(),
        options.cacheKeyType(),
        options.cacheValueType(),
        options::contextLengthFor,
        adapters,
        choices,
        Optional.empty());
  }

  private static Engine.Limits limits(Device device, LoadedModel model, ModelOptions options) {
    int context = options.contextLengthFor(model.contextLength());
    int stepTokens = Math.max(SESSIONS, Math.min(device.stepTokens(), context));
    return new Engine.Limits(stepTokens, SESSIONS, context, Math.multiplyExact(context, SESSIONS));
  }

  private static void compile(
      Device device, LoadedModel.OfEncoderDecoder model, ModelOptions options) {
    try (DeviceWeights weights = device.weights(model.weights())) {
      new Engine(device, model, weights, limits(device, model, options)).close();
    }
  }

  private static void compile(Device device, LoadedModel.OfDecoder model, ModelOptions options) {
    Engine.Limits limits = limits(device, model, options);
    StepLimits step = limits.step(model.graph().value(Engine.LOGITS).type().columns());
    try (DeviceWeights weights = device.weights(model.weights())) {
      new Engine(device, model, weights, limits).close();
      // Where others compute the first layers, the first norm adds nothing up.
      compileLastLayers(device, model.graph(), weights, step);
      model.choosing().ifPresent(graph -> compileLastLayers(device, graph, weights, step));
    }
  }

  private static void compileLastLayers(
      Device device, Graph graph, DeviceWeights weights, StepLimits limits) {
    Graph whole = graph.sampled(Engine.LOGITS);
    for (int layer = 0; layer < graph.layers() - 1; layer++) {
      GraphCut cut;
      try {
        cut = GraphCut.behind(whole, Graph.layerOutput(layer));
      } catch (UnsupportedException e) {
        // Nobody will divide it there.
        continue;
      }
      device.compile(Fusion.fuse(cut.after(), device::takes), weights, limits).close();
    }
  }

  /** With its heads, as `kancil rerank` runs it, and without, as `kancil embed` does. */
  private static void compileEncoder(ModelFiles files, ModelOptions options, Device device) {
    LoadedModel loaded =
        Families.open(
            files.checkpoint(),
            // Keys and values of one step are kept no longer than that.
            DataType.F32,
            DataType.F32,
            options::contextLengthFor,
            files.adapters(options.adapters()));
    int context = options.contextLengthFor(loaded.contextLength());
    try (DeviceWeights weights = device.weights(loaded.weights())) {
      if (loaded instanceof LoadedModel.OfDecoder decoder) {
        compile(device, decoder.withoutHead(), weights, context);
      } else if (loaded instanceof LoadedModel.OfEncoder encoder) {
        compile(device, encoder, weights, context);
        compile(device, encoder.withoutHead(), weights, context);
      }
    }
  }

  private static void compile(
      Device device, LoadedModel.OfEncoder model, DeviceWeights weights, int context) {
    new EncoderPass(device, model, model.pooling(), weights, context).close();
  }
}
