package dev.kancil.backend.cuda;

import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Attention kernels on an emulated device, with caches whose pages lie in no order, and pages
 * before all windows that are gone.
 */
final class EmulatedAttention implements AutoCloseable {
  private static final int PAGE = 32;

  /** In the tables of pages that are gone: reading them is an error. */
  private static final int GONE = 1 << 20;

  /**
   * Sizes.
   *
   * @param window how many keys a row sees, its own included
   * @param type of keys and values
   */
  record Sizes(int heads, int kvHeads, int keyWidth, int valueWidth, int window, DataType type) {
    /** In a cache of halves. */
    Sizes(int heads, int kvHeads, int keyWidth, int valueWidth, int window) {
      this(heads, kvHeads, keyWidth, valueWidth, window, DataType.F16);
    }

    float scale() {
      return (float) (1 / Math.sqrt(keyWidth));
    }
  }

  /** Rows at the end of a sequence of so many tokens. */
  record Rows(int count, int length) {}

  private final Sizes sizes;
  private final int rows;
  private final CudaMemory memory;
  private final CudaKernels kernels;
  private final Arena arena = Arena.ofShared();
  private final List<DeviceBuffer> buffers = new ArrayList<>();
  private final DeviceBuffer keys;
  private final DeviceBuffer values;
  private final int[] pages;
  private final int[] starts;
  private final List<Long> inputs;

  EmulatedAttention(Path folder, int capability, Sizes sizes, List<Rows> sequences) {
    this.sizes = sizes;
    EmulatedDevice device = EmulatedDevice.standard().withComputeCapability(capability);
    EmulatedDriver driver = new EmulatedDriver(device);
    DeviceDescription description =
        new CudaBackend(driver, RequiredNvrtc.find()).devices().getFirst();
    memory = new CudaMemory(driver, 0, description);
    kernels =
        new CudaKernels(
            memory,
            RequiredNvrtc.find(),
            "compute_" + capability,
            new BinaryCache(folder, ""),
            null);
    SplittableRandom random = new SplittableRandom(sizes.keyWidth() + 1000L * sizes.valueWidth());
    rows = sequences.stream().mapToInt(Rows::count).sum();
    starts = new int[sequences.size()];
    int all = 0;
    for (int i = 0; i < starts.length; i++) {
      starts[i] = all;
      all += Math.ceilDiv(sequences.get(i).length(), PAGE);
    }
    pages = new int[all];
    for (int i = 0; i < all; i++) {
      // 7 and a power of two have no divisor in common.
      pages[i] = i * 7 % Integer.highestOneBit(2 * all);
    }
    long cached = (long) Integer.highestOneBit(2 * all) * PAGE * sizes.kvHeads();
    keys = allocate(sizes.type().byteSize(cached * sizes.keyWidth()));
    values = allocate(sizes.type().byteSize(cached * sizes.valueWidth()));
    int[] tables = pages.clone();
    int[] positions = new int[rows];
    int[] sequenceOfRow = new int[rows];
    int row = 0;
    for (int s = 0; s < starts.length; s++) {
      Rows of = sequences.get(s);
      int seen = of.length() - of.count() - sizes.window() + 1;
      for (int token = 0; token < of.length(); token++) {
        if (token >= seen) {
          write(keys, s, token, sizes.keyWidth(), random);
          write(values, s, token, sizes.valueWidth(), random);
        } else if (token / PAGE < seen / PAGE) {
          tables[starts[s] + token / PAGE] = GONE;
        }
      }
      for (int i = 0; i < of.count(); i++) {
        positions[row] = of.length() - of.count() + i;
        sequenceOfRow[row++] = s;
      }
    }
    float[] q = new float[rows * sizes.heads() * sizes.keyWidth()];
    for (int i = 0; i < q.length; i++) {
      q[i] = (float) random.nextDouble(-4, 4);
    }
    inputs =
        List.of(
            upload(MemorySegment.ofArray(q)),
            CudaBuffer.address(keys),
            CudaBuffer.address(values),
            upload(MemorySegment.ofArray(positions)),
            upload(MemorySegment.ofArray(sequenceOfRow)),
            upload(MemorySegment.ofArray(starts)),
            upload(MemorySegment.ofArray(tables)),
            upload(MemorySegment.ofArray(sequences.stream().mapToInt(Rows::length).toArray())),
            upload(MemorySegment.ofArray(new int[] {rows})));
  }

  private DeviceBuffer allocate(long bytes) {
    DeviceBuffer buffer = memory.allocate(bytes, "a test's");
    buffers.add(buffer);
    return buffer;
  }

  private long upload(MemorySegment data) {
    DeviceBuffer buffer = allocate(data.byteSize());
    memory.write(buffer, 0, data);
    return CudaBuffer.address(buffer);
  }

  private void write(DeviceBuffer to, int sequence, int token, int width, SplittableRandom random) {
    float[] row = new float[sizes.kvHeads() * width];
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) random.nextDouble(-1, 1);
    }
    memory.write(to, offset(sequence, token, width), encoded(row));
  }

  private MemorySegment encoded(float... numbers) {
    MemorySegment data =
        MemorySegment.ofArray(new byte[(int) sizes.type().byteSize(numbers.length)]);
    Blocks.encode(sizes.type(), numbers, 0, data, 0, numbers.length);
    return data;
  }

  private long offset(int sequence, int token, int width) {
    long row = (long) pages[starts[sequence] + token / PAGE] * PAGE + token % PAGE;
    return sizes.type().byteSize(row * sizes.kvHeads() * width);
  }

  /** Makes one number of a token's values in the first KV head a NaN or an infinity. */
  void spoil(int sequence, int token, float value) {
    long row = offset(sequence, token, sizes.valueWidth());
    memory.write(values, row + sizes.type().byteSize(1), encoded(value));
  }

  /** Floats of a row of y. */
  int rowFloats() {
    return sizes.heads() * sizes.valueWidth();
  }

  float[] plain() {
    int heads = sizes.heads();
    float[] y = new float[rows * rowFloats()];
    Arrays.fill(y, 12345);
    run("attention_plain", Map.of(), Grid.perRow(heads), y, List.of(), 0);
    return y;
  }

  /** Throws if the counts of ended splits are not zero again. */
  float[] split(AttentionSplit split) {
    float[] y = new float[rows * rowFloats()];
    int[] ended = new int[Math.toIntExact(split.endedBytes(rows) / Integer.BYTES)];
    DeviceBuffer room = allocate(split.endedBytes(rows));
    memory.write(room, 0, MemorySegment.ofArray(ended));
    DeviceBuffer partials = allocate(split.partialBytes(rows));
    run(
        "attention_split",
        split.defines(),
        split.grid(),
        y,
        List.of(CudaBuffer.address(partials), CudaBuffer.address(room)),
        split.splits());
    MemorySegment after = arena.allocate(split.endedBytes(rows), 4);
    memory.read(room, 0, after);
    if (!Arrays.equals(after.toArray(ValueLayout.JAVA_INT), ended)) {
      throw new AssertionError("the counts of ended splits are not zero again");
    }
    return y;
  }

  /** With blocks that go through several rows. */
  float[] inTurn(AttentionSplit split) {
    float[] y = new float[rows * rowFloats()];
    Grid grid =
        new Grid(
            split.gridInTurn().local(),
            (_, groups) -> {
              groups[1] = split.parts();
              groups[2] = Math.ceilDiv(rows, 3);
            });
    run("attention_split", split.definesInTurn(), grid, y, List.of(0L, 0L), split.splits());
    return y;
  }

  /** Tiles, and what they leave out. */
  float[] tiles(AttentionTiles tiles, AttentionSplit split) {
    float[] y = new float[rows * rowFloats()];
    run("attention_tiles", tiles.defines(), tiles.grid(), y, List.of(), 0);
    run(
        "attention_split",
        split.definesBeside(tiles),
        split.gridInTurn(),
        y,
        List.of(0L, 0L),
        split.splits());
    return y;
  }

  /**
   * @param splits of a row's keys at most, behind further arguments; 0 where there are none
   */
  private void run(
      String kernel,
      Map<String, String> shape,
      Grid grid,
      float[] y,
      List<Long> further,
      int splits) {
    Map<String, String> defines = new HashMap<>(shape);
    defines.put("KEY_" + sizes.type(), "");
    defines.put("VALUE_" + sizes.type(), "");
    defines.put("PAGE_TOKENS", String.valueOf(PAGE));
    defines.put("HEADS", String.valueOf(sizes.heads()));
    defines.put("KV_HEADS", String.valueOf(sizes.kvHeads()));
    defines.put("KEY_WIDTH", String.valueOf(sizes.keyWidth()));
    defines.put("VALUE_WIDTH", String.valueOf(sizes.valueWidth()));
    defines.put("SCALE", sizes.scale() + "f");
    defines.put("FIRST_KEY(query)", "((query) - " + (sizes.window() - 1) + ")");
    defines.put("LAST_KEY(query)", "(query)");
    defines.put(
        "SEES(query, key)", "((key) <= (query) && (query) - (key) < " + sizes.window() + ")");
    defines.put("MASK_IS_INTERVAL", "");
    DeviceBuffer target = allocate(4L * y.length);
    memory.write(target, 0, MemorySegment.ofArray(y));
    List<ValueLayout> layouts = new ArrayList<>();
    inputs.forEach(_ -> layouts.add(ValueLayout.JAVA_LONG));
    layouts.add(ValueLayout.JAVA_INT);
    layouts.add(ValueLayout.JAVA_LONG);
    further.forEach(_ -> layouts.add(ValueLayout.JAVA_LONG));
    if (splits > 0) {
      layouts.add(ValueLayout.JAVA_INT);
    }
    KernelArguments arguments = new KernelArguments(arena, layouts);
    int index = 0;
    for (long input : inputs) {
      arguments.set(index++, input);
    }
    arguments.set(index++, 0);
    arguments.set(index++, CudaBuffer.address(target));
    for (long more : further) {
      arguments.set(index++, more);
    }
    if (splits > 0) {
      arguments.set(index, splits);
    }
    long[] groups = {1, 1, 1};
    grid.groups().of(rows, groups);
    long[] local = Arrays.copyOf(grid.local(), 3);
    long function = kernels.kernel(kernel + ".h", kernel, defines);
    if (grid.sharedBytes() > 0) {
      memory.driver().allowSharedBytes(function, grid.sharedBytes());
    }
    memory
        .driver()
        .launch(
            function,
            (int) groups[0],
            (int) groups[1],
            (int) groups[2],
            (int) local[0],
            (int) Math.max(local[1], 1),
            (int) Math.max(local[2], 1),
            grid.sharedBytes(),
            memory.stream(),
            arguments);
    MemorySegment read = arena.allocate(4L * y.length, 4);
    memory.read(target, 0, read);
    MemorySegment.copy(read, ValueLayout.JAVA_FLOAT, 0, y, 0, y.length);
  }

  @Override
  public void close() {
    kernels.close();
    buffers.forEach(DeviceBuffer::close);
    memory.close();
    arena.close();
  }
}
