package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.engine.Engine;
import dev.kancil.engine.split.FittingLayers;
import dev.kancil.engine.split.SplitDevice;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.synthetic.ModelShape;
import dev.kancil.format.synthetic.SyntheticModel;
import dev.kancil.format.synthetic.WeightMix;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.DividedModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaSplitTest {
  private static final int LAYERS = 3;
  private static final Engine.Limits LIMITS = new Engine.Limits(1024, 2, 4096, 8192);

  @TempDir Path folder;

  private static Device cpu() {
    return Backends.open(Backends.CPU, DeviceOptions.DEFAULT);
  }

  private static Device emulated() {
    return EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT);
  }

  private static Device emulated(long memoryBytes) {
    EmulatedDevice device = EmulatedDevice.standard().withWorkers(2).withMemoryBytes(memoryBytes);
    return new CudaBackend(new EmulatedDriver(device), RequiredNvrtc.find())
        .open(0, DeviceOptions.DEFAULT);
  }

  @Test
  void aModelSharedWithTheCpuIsTheSame() {
    DividedModels.requireTheSame(folder, CudaSplitTest::cpu, CudaSplitTest::emulated, 1e-4f);
    DividedModels.requireTheSame(folder, CudaSplitTest::emulated, CudaSplitTest::cpu, 1e-4f);
  }

  @Test
  void asManyLayersFitAsThereIsMemoryFor() {
    try (GgufFile file = new SyntheticModel(ModelShape.TINY, WeightMix.Q4_K_M).open()) {
      LoadedModel.OfDecoder model =
          Families.load(new GgufCheckpoint(file), DataType.F16, DataType.F16);
      List<Integer> counts = new ArrayList<>();
      for (long memory = 4 << 20;
          counts.isEmpty() || counts.getLast() < LAYERS;
          memory += 256 << 10) {
        int count;
        try (Device device = emulated(memory)) {
          count = FittingLayers.count(device, model.graph(), LIMITS);
        }
        if (counts.isEmpty() || count != counts.getLast()) {
          counts.add(count);
          // So many do fit, although there is hardly more memory than for them.
          start(model, count, memory);
        }
      }
      assertThat(counts).containsExactly(0, 1, 2, 3);
    }
  }

  private static void start(LoadedModel.OfDecoder model, int count, long memory) {
    try (Device device = divided(model, count, memory);
        DeviceWeights weights = device.weights(model.weights())) {
      new Engine(device, model.graph(), weights, LIMITS).close();
    }
  }

  private static Device divided(LoadedModel.OfDecoder model, int count, long memory) {
    return switch (count) {
      case 0 -> cpu();
      case LAYERS -> emulated(memory);
      default -> new SplitDevice(cpu(), emulated(memory), model.graph(), LAYERS - count);
    };
  }

  @Test
  void aModelThatDoesNotFitIsAnErrorThatSaysHowToDivideIt() {
    try (GgufFile file = new SyntheticModel(ModelShape.TINY, WeightMix.Q4_K_M).open()) {
      LoadedModel.OfDecoder model =
          Families.load(new GgufCheckpoint(file), DataType.F16, DataType.F16);
      assertThatThrownBy(() -> start(model, LAYERS, 1 << 20))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("--gpu-layers auto");
    }
  }
}
