package dev.kancil.backend.cuda;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.accelerator.AcceleratorDevice;
import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.CacheKernels;
import dev.kancil.backend.accelerator.KernelLowering;
import dev.kancil.backend.accelerator.KernelShapes;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.Lowering;
import dev.kancil.backend.accelerator.MatrixLayout;
import dev.kancil.backend.accelerator.PlainProducts;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.RowKernels;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.graph.op.Fused;
import dev.kancil.tensor.DataType;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** An open NVIDIA device: its primary context, and a stream on which all its work runs. */
final class CudaDevice extends AcceleratorDevice {
  /** A block's threads for a row, in warps; vectors of one, since a warp's accesses are joined. */
  private static final KernelShapes SHAPES = new KernelShapes(1024, 32, 256, 64, 1, Map.of());

  /** Half a unit of a half's last place is at most a 2,048th of a number: a step of a 1,024th. */
  private static final ActivationRounding HALVES = new ActivationRounding(1024, 1);

  private final CudaMemory memory;
  private final CudaKernels kernels;
  private final CudaTraits traits;
  private final WeightTiles tiles;

  /**
   * Opens a device.
   *
   * @param memory closed with the device
   * @param compiler null where kernels can only be those of the stock
   * @param architecture for which kernels are compiled
   * @param traits of the device, as kernels for that architecture see it
   * @param stock of kernels that are compiled beforehand; null if there is none
   */
  CudaDevice(
      CudaMemory memory,
      DeviceDescription description,
      DeviceOptions options,
      @Nullable Nvrtc compiler,
      String architecture,
      CudaTraits traits,
      @Nullable KernelStock stock) {
    super(description, options, memory);
    this.memory = memory;
    this.traits = traits;
    BinaryCache cache = CollectedKernels.cache(compiler, architecture);
    kernels = new CudaKernels(memory, compiler, architecture, cache, stock);
    tiles = new WeightTiles(memory, kernels, traits.hasBfloats());
  }

  @Override
  public boolean takes(Fused fused) {
    return true;
  }

  @Override
  protected Lowering lowering(AcceleratorWeights weights, ProgramMemory program) {
    LaunchMaker maker =
        new LaunchMaker(
            program.inputs(),
            (file, function, defines, arguments, grid, perOutput) -> {
              kernels.expect(file, defines);
              return new CudaLaunch(
                  memory,
                  () -> kernels.kernel(file, function, defines),
                  CudaKernels.label(function, defines),
                  arguments,
                  grid,
                  perOutput,
                  traits.startsEarly());
            });
    CacheKernels cache = new CacheKernels(maker, weights, program, SHAPES);
    PlainProducts plain =
        new PlainProducts(maker, weights, program, SHAPES, PlainProducts.Activations.FLOATS);
    RowKernels rows = new RowKernels(maker, weights, program, SHAPES);
    return new KernelLowering(
        maker,
        rows,
        cache,
        new TileProducts(maker, weights, program, plain, rows, tiles, traits),
        new AttentionKernels(cache, program, traits),
        program);
  }

  /** Steps of many tokens multiply halves: 11 bits of each activation, and of each weight. */
  @Override
  public ActivationRounding activationRounding(DataType type) {
    return tiles.takes(AcceleratorWeights.kept(type, tiles)) ? HALVES : ActivationRounding.NONE;
  }

  @Override
  public OptionalDouble readBytesPerSecond() {
    return OptionalDouble.of(ReadSpeed.measure(memory, kernels, traits));
  }

  /** Compiles what no program asks for. */
  void compileMeasuring() {
    ReadSpeed.kernel(kernels);
  }

  @Override
  public int stepTokens() {
    return 2048;
  }

  @Override
  protected MatrixLayout layout() {
    return tiles;
  }

  @Override
  protected void release() {
    tiles.close();
    kernels.close();
    memory.close();
  }
}
