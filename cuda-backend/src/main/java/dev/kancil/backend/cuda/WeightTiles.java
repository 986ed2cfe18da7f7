package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.MatrixLayout;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.tensor.Codebook;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Brings matrices into tiles: rows are copied to the device as they are stored, and a kernel there
 * lays them anew. All that comes one after the other on the stream of the {@link PinnedRing}, so
 * that rows always lie in the same memory until they are laid.
 */
final class WeightTiles implements MatrixLayout, AutoCloseable {
  /** Bytes that are laid at a time, at most, but whole tiles. */
  private static final long STORED_BYTES = PinnedRing.PIECE_BYTES;

  private static final int THREADS = 256;

  /** Of MXFP4: {@code 2^(e - 128)} is a half from the least to the most. */
  private static final int LEAST_EXPONENT = 104;

  private static final int MOST_EXPONENT = 143;

  private static final List<ValueLayout> PARAMETERS =
      List.of(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);

  private static final List<ValueLayout> WITH_CODEBOOK =
      Stream.concat(PARAMETERS.stream(), Stream.of(ValueLayout.JAVA_LONG)).toList();

  private final CudaMemory memory;
  private final CudaKernels kernels;
  private final boolean hasBfloats;
  private final long storedBytes;

  /** Where rows lie as they are stored, for all matrices one after the other. */
  private @Nullable DeviceBuffer stored;

  /** {@link Codebook#groups} of types that matrices have had. */
  private final Map<DataType, DeviceBuffer> codebooks = new EnumMap<>(DataType.class);

  /**
   * @param hasBfloats whether tensor cores multiply them
   */
  WeightTiles(CudaMemory memory, CudaKernels kernels, boolean hasBfloats) {
    this(memory, kernels, hasBfloats, STORED_BYTES);
  }

  /**
   * @param storedBytes bytes that are laid at a time, at most, but whole tiles
   */
  WeightTiles(CudaMemory memory, CudaKernels kernels, boolean hasBfloats, long storedBytes) {
    this.memory = memory;
    this.storedBytes = storedBytes;
    this.kernels = kernels;
    this.hasBfloats = hasBfloats;
  }

  @Override
  public boolean takes(DataType type) {
    return TileFormat.of(type).isPresent() && (hasBfloats || type != DataType.BF16);
  }

  /**
   * Scales of MXFP4 are halves there, which all real ones are; an exponent is a block's first byte.
   */
  @Override
  public boolean holds(Tensor tensor) {
    if (tensor.type() != DataType.MXFP4) {
      return true;
    }
    int blockBytes = DataType.MXFP4.blockBytes();
    MemorySegment data = tensor.data();
    LongStream blocks = LongStream.range(0, data.byteSize() / blockBytes);
    return (Tensor.isEverybodys(data) ? blocks.parallel() : blocks)
        .mapToInt(block -> Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, block * blockBytes)))
        .allMatch(exponent -> exponent >= LEAST_EXPONENT && exponent <= MOST_EXPONENT);
  }

  @Override
  public long bytes(DataType type, Shape shape) {
    TileFormat format = TileFormat.of(type).orElseThrow();
    int columns = Math.toIntExact(shape.columns());
    int rows = rows(shape);
    long matrices = shape.elements() / columns / rows;
    return Math.multiplyExact(matrices * TileFormat.tiles(rows), format.tileBytes(columns));
  }

  /** Rows of a matrix, or of each expert's. */
  private static int rows(Shape shape) {
    return Math.toIntExact(shape.rank() == 1 ? 1 : shape.dimension(-2));
  }

  @Override
  public DeviceBuffer lay(Tensor tensor, String name, LongConsumer loaded) {
    TileFormat format = TileFormat.of(tensor.type()).orElseThrow();
    Shape shape = tensor.shape();
    int columns = Math.toIntExact(shape.columns());
    // Each expert's matrix begins with a tile of its own.
    int rows = rows(shape);
    int matrices = Math.toIntExact(shape.elements() / columns / rows);
    long rowBytes = tensor.type().byteSize(columns);
    int tiles = TileFormat.tiles(rows);
    DeviceBuffer laid = memory.allocate(bytes(tensor.type(), shape), name);
    long tileRowBytes = rowBytes * TileFormat.ROWS;
    int rowsAtOnce =
        Math.min(rows, Math.toIntExact(Math.max(1, storedBytes / tileRowBytes)) * TileFormat.ROWS);
    try {
      for (int matrix = 0; matrix < matrices; matrix++) {
        for (int row = 0; row < rows; row += rowsAtOnce) {
          int count = Math.min(rowsAtOnce, rows - row);
          long at = ((long) matrix * rows + row) * rowBytes;
          long firstTile = (long) matrix * tiles + row / TileFormat.ROWS;
          MemorySegment data = tensor.data().asSlice(at, count * rowBytes);
          lay(format, columns, data, count, laid, firstTile, loaded);
        }
      }
    } catch (RuntimeException e) {
      abandon(laid, e);
      throw e;
    }
    return laid;
  }

  /** Frees what is half laid once nothing is on its way there any more. */
  private void abandon(DeviceBuffer laid, RuntimeException failure) {
    try (laid) {
      memory.finishLoads();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private synchronized void lay(
      TileFormat format,
      int columns,
      MemorySegment data,
      int rows,
      DeviceBuffer laid,
      long firstTile,
      LongConsumer loaded) {
    DeviceBuffer room = room(data.byteSize());
    memory.ring().copy(CudaBuffer.address(room), data, loaded);
    repack(format, columns, room, rows, laid, firstTile);
  }

  private DeviceBuffer room(long bytes) {
    DeviceBuffer room = stored;
    if (room == null || room.bytes() < bytes) {
      if (room != null) {
        memory.finishLoads();
        room.close();
        stored = null;
      }
      // Small models, as those of tests, need less than others.
      room = memory.allocate(bytes, "weights as they are stored");
      stored = room;
    }
    return room;
  }

  private void repack(
      TileFormat format,
      int columns,
      DeviceBuffer room,
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
          new KernelArguments(arena, format.hasCodebook() ? WITH_CODEBOOK : PARAMETERS);
      arguments.set(0, CudaBuffer.address(room));
      arguments.set(1, rows);
      arguments.set(2, CudaBuffer.address(laid));
      arguments.set(3, firstTile);
      if (format.hasCodebook()) {
        arguments.set(4, CudaBuffer.address(codebook(format.type())));
      }
      int blocks = Math.toIntExact(Math.ceilDiv(items, (long) THREADS));
      long stream = memory.ring().stream();
      memory.driver().launch(kernel, blocks, 1, 1, THREADS, 1, 1, 0, stream, arguments);
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  /** Copied before the first kernel that reads it, on the same stream. */
  private DeviceBuffer codebook(DataType type) {
    DeviceBuffer known = codebooks.get(type);
    if (known != null) {
      return known;
    }
    MemorySegment groups = MemorySegment.ofArray(Codebook.groups(type));
    DeviceBuffer buffer = memory.allocate(groups.byteSize(), "the codebook of " + type);
    codebooks.put(type, buffer);
    memory.ring().copy(CudaBuffer.address(buffer), groups, _ -> {});
    return buffer;
  }

  @Override
  public synchronized void close() {
    if (stored != null) {
      stored.close();
      stored = null;
    }
    codebooks.values().forEach(DeviceBuffer::close);
    codebooks.clear();
  }
}
