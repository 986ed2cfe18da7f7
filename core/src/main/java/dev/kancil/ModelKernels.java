package dev.kancil;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.KernelCompiler;
import dev.kancil.engine.EncoderPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.tensor.DataType;
import java.util.function.Supplier;

/** Compiles the kernels that a model needs, for machines that have no compiler. */
public final class ModelKernels {
  /** As many rows of a step have outputs as make any difference to kernels. */
  private static final int SESSIONS = 64;

  private ModelKernels() {}

  /**
   * Compiles all that a model needs on each kind of device, be its steps of few rows or of many.
   *
   * @param opened opens the model's files, once for each kind; they are closed here
   * @param options of which types of the cache, context length, adapters and progress count
   * @param isEncoder whether a decoder is to be compiled as one that yields vectors of texts;
   *     encoders are in any case
   * @throws FormatException if a file can't be read, is damaged, or doesn't fit together
   * @throws UnsupportedException if its architecture is not supported, or it sees images
   * @throws InvalidRequestException if an option doesn't fit the model
   * @throws DeviceException if a kernel doesn't compile
   */
  public static void compile(
      Supplier<ModelFiles> opened,
      ModelOptions options,
      boolean isEncoder,
      KernelCompiler compiler) {
    for (int kind = 0; kind < compiler.kinds().size(); kind++) {
      int index = kind;
      if (isEncoder || isEncoder(opened, options)) {
        compileEncoder(opened, options, compiler, index);
      } else {
        ModelOptions many = options.withSessions(SESSIONS);
        Model.open(opened, many, deviceOptions -> compiler.open(index, deviceOptions)).close();
      }
    }
  }

  private static LoadedModel load(ModelFiles files, ModelOptions options) {
    // As encoders keep keys and values of a step.
    return Families.open(
        files.checkpoint(),
        DataType.F32,
        DataType.F32,
        options::contextLengthFor,
        files.adapters(options.adapters()));
  }

  private static boolean isEncoder(Supplier<ModelFiles> opened, ModelOptions options) {
    try (ModelFiles files = opened.get()) {
      return switch (load(files, options)) {
        case LoadedModel.OfDecoder _, LoadedModel.OfEncoderDecoder _ -> false;
        case LoadedModel.OfEncoder _, LoadedModel.OfEncoders _ -> true;
      };
    }
  }

  /** With its heads, as `kancil rerank` runs it, and without, as `kancil embed` does. */
  private static void compileEncoder(
      Supplier<ModelFiles> opened, ModelOptions options, KernelCompiler compiler, int kind) {
    try (ModelFiles files = opened.get()) {
      LoadedModel loaded = load(files, options);
      int context = options.contextLengthFor(loaded.contextLength());
      DeviceOptions deviceOptions = DeviceOptions.DEFAULT.withProgress(options.progress());
      try (Device device = compiler.open(kind, deviceOptions);
          DeviceWeights weights = device.weights(loaded.weights())) {
        switch (loaded) {
          case LoadedModel.OfEncoder model -> {
            compile(device, model, weights, context);
            compile(device, model.withoutHead(), weights, context);
          }
          case LoadedModel.OfDecoder model ->
              compile(device, model.withoutHead(), weights, context);
          case LoadedModel.OfEncoderDecoder _, LoadedModel.OfEncoders _ ->
              throw new UnsupportedException(
                  files.path() + ": kernels are compiled beforehand for models of texts alone");
        }
      }
    }
  }

  private static void compile(
      Device device, LoadedModel.OfEncoder model, DeviceWeights weights, int context) {
    new EncoderPass(device, model, model.pooling(), weights, context).close();
  }
}
