package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.MatrixLayout;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;

/**
 * Brings matrices into tiles: pieces are copied to the device as they are stored, and a kernel
 * there lays them anew.
 */
final class WeightTiles implements MatrixLayout {
  /** Bytes that are copied at a time, at most, but whole tiles. */
  private static final long PIECE = 64 << 20;

  private static final int THREADS = 256;

  private final CudaMemory memory;
  private final CudaKernels kernels;
  private final boolean hasBfloats;

  /**
   * @param hasBfloats whether tensor cores multiply them
   */
  WeightTiles(CudaMemory memory, CudaKernels kernels, boolean hasBfloats) {
    this.memory = memory;
    this.kernels = kernels;
    this.hasBfloats = hasBfloats;
  }

  @Override
  public boolean takes(DataType type) {
    return TileFormat.of(type).isPresent() && (hasBfloats || type != DataType.BF16);
  }

  @Override
  public DeviceBuffer lay(Tensor tensor, String name) {
    TileFormat format = TileFormat.of(tensor.type()).orElseThrow();
    Shape shape = tensor.shape();
    int columns = Math.toIntExact(shape.columns());
    // Each expert's matrix begins with a tile of its own.
    int rows = Math.toIntExact(shape.rank() == 1 ? 1 : shape.dimension(-2));
    int matrices = Math.toIntExact(shape.elements() / columns / rows);
    long rowBytes = tensor.type().byteSize(columns);
    int tiles = TileFormat.tiles(rows);
    DeviceBuffer laid =
        memory.allocate(
            Math.multiplyExact((long) matrices * tiles, format.tileBytes(columns)), name);
    long tileRowBytes = rowBytes * TileFormat.ROWS;
    int rowsAtOnce =
        Math.min(rows, Math.toIntExact(Math.max(1, PIECE / tileRowBytes)) * TileFormat.ROWS);
    try (DeviceBuffer stored = memory.allocate(rowsAtOnce * rowBytes, name + ", as it is stored")) {
      for (int matrix = 0; matrix < matrices; matrix++) {
        for (int row = 0; row < rows; row += rowsAtOnce) {
          int count = Math.min(rowsAtOnce, rows - row);
          long at = ((long) matrix * rows + row) * rowBytes;
          memory.write(stored, 0, tensor.data().asSlice(at, count * rowBytes));
          long firstTile = (long) matrix * tiles + row / TileFormat.ROWS;
          repack(format, columns, stored, count, laid, firstTile);
        }
      }
      memory.finish();
    } catch (RuntimeException e) {
      laid.close();
      throw e;
    }
    return laid;
  }

  private void repack(
      TileFormat format,
      int columns,
      DeviceBuffer stored,
      int rows,
      DeviceBuffer laid,
      long firstTile) {
    Map<String, String> defines =
        Map.of(
            "WEIGHT_" + format.type().name(),
            "",
            "FORMAT",
            format.kernelType(),
            "COLUMNS",
            String.valueOf(columns));
    long kernel = kernels.kernel("repack.h", "repack", defines);
    long items = (long) TileFormat.tiles(rows) * format.chunks(columns) * 32;
    try (Arena arena = Arena.ofConfined()) {
      KernelArguments arguments =
          new KernelArguments(
              arena,
              List.of(
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG));
      arguments.set(0, CudaBuffer.address(stored));
      arguments.set(1, rows);
      arguments.set(2, CudaBuffer.address(laid));
      arguments.set(3, firstTile);
      int blocks = Math.toIntExact(Math.ceilDiv(items, (long) THREADS));
      memory.driver().launch(kernel, blocks, 1, 1, THREADS, 1, 1, 0, memory.stream(), arguments);
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }
}
