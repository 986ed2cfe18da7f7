package dev.kancil.cli;

import dev.kancil.ModelOptions;
import dev.kancil.tensor.DataType;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where and how large a model runs. */
final class DeviceSettings {
  @Option(
      names = "--device",
      paramLabel = "ID",
      defaultValue = "auto",
      description = "auto, or what `kancil devices` lists. Default: auto.")
  String device = "auto";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Worker threads of the CPU. Default: one for each core.")
  int threads;

  @Option(
      names = {"--gpu-layers", "-ngl"},
      paramLabel = "N",
      converter = GpuLayers.class,
      description =
          "How many layers run on the device, the last ones, while the CPU runs the others; auto: as"
              + " many as fit; 0: none. Default: all, or an error if they don't fit.")
  Integer gpuLayers = ModelOptions.ALL_LAYERS;

  @Option(
      names = "--ctx",
      paramLabel = "N",
      description = "Tokens of context. Default: what the model was made for, at most 8192.")
  int context;

  @Option(
      names = "--cache-type-k",
      paramLabel = "TYPE",
      defaultValue = "f16",
      converter = CacheType.class,
      description = "How keys are cached: f32, f16, bf16, f8_e4m3 or q8_0. Default: f16.")
  DataType keyType = DataType.F16;

  @Option(
      names = "--cache-type-v",
      paramLabel = "TYPE",
      defaultValue = "f16",
      converter = CacheType.class,
      description = "How values are cached. Default: f16.")
  DataType valueType = DataType.F16;

  @Mixin LoraOption lora = new LoraOption();

  ModelOptions.Builder options(Console console) {
    return ModelOptions.builder()
        .adapters(lora.adapters)
        .progress(new LoadBar(console))
        .device(device)
        .threads(threads)
        .gpuLayers(gpuLayers)
        .contextLength(context)
        .cacheKeyType(keyType)
        .cacheValueType(valueType);
  }

  static final class GpuLayers implements CommandLine.ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      if (text.equals("auto")) {
        return ModelOptions.AUTO_LAYERS;
      }
      try {
        int count = Integer.parseInt(text);
        if (count >= 0) {
          return count;
        }
      } catch (NumberFormatException e) {
        // Told below.
      }
      throw new CommandLine.TypeConversionException(
          "there are auto and numbers from 0 on, but not " + text);
    }
  }

  static final class CacheType implements CommandLine.ITypeConverter<DataType> {
    @Override
    public DataType convert(String text) {
      return switch (text.toLowerCase(Locale.ROOT)) {
        case "f32" -> DataType.F32;
        case "f16" -> DataType.F16;
        case "bf16" -> DataType.BF16;
        case "f8_e4m3" -> DataType.F8_E4M3;
        case "q8_0" -> DataType.Q8_0;
        default ->
            throw new CommandLine.TypeConversionException(
                "there are f32, f16, bf16, f8_e4m3 and q8_0, but not " + text);
      };
    }
  }
}
