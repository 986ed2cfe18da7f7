package dev.kancil.cuda.emulator;

import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A driver with one device, and what tests need around it. */
final class EmulatedKernels implements AutoCloseable {
  private static @Nullable Nvrtc compiler;

  final EmulatedDriver driver;
  private final Arena arena = Arena.ofShared();
  private long module;

  EmulatedKernels(EmulatedDevice device) {
    driver = new EmulatedDriver(device);
    driver.makeCurrent(driver.retainContext(0));
  }

  EmulatedKernels() {
    this(EmulatedDevice.standard());
  }

  /** PTX of CUDA C++; without a compiler the test is skipped, and says so. */
  static String compile(String source, String architecture, String... options) {
    if (compiler == null) {
      compiler = RequiredNvrtc.find();
    }
    byte[] ptx = compiler.compile(source, "test.cu", architecture, List.of(options));
    return new String(ptx, 0, ptx.length - 1, StandardCharsets.US_ASCII);
  }

  /** Compiles with source lines, and loads. */
  EmulatedKernels cuda(String source) {
    return ptx(compile(source, "compute_80", "-lineinfo"));
  }

  EmulatedKernels ptx(String text) {
    module = driver.loadModule(arena.allocateFrom(text, StandardCharsets.ISO_8859_1));
    return this;
  }

  long upload(int... values) {
    return upload(MemorySegment.ofArray(values));
  }

  long upload(float... values) {
    return upload(MemorySegment.ofArray(values));
  }

  long upload(MemorySegment values) {
    long address = driver.allocate(values.byteSize());
    driver.copyToDevice(address, values, 0);
    return address;
  }

  int[] ints(long address, int count) {
    int[] values = new int[count];
    driver.copyToHost(MemorySegment.ofArray(values), address, 0);
    return values;
  }

  float[] floats(long address, int count) {
    float[] values = new float[count];
    driver.copyToHost(MemorySegment.ofArray(values), address, 0);
    return values;
  }

  long[] longs(long address, int count) {
    long[] values = new long[count];
    driver.copyToHost(MemorySegment.ofArray(values), address, 0);
    return values;
  }

  short[] shorts(long address, int count) {
    short[] values = new short[count];
    driver.copyToHost(MemorySegment.ofArray(values), address, 0);
    return values;
  }

  /** Launches in one dimension and waits. */
  void run(String kernel, int blocks, int threads, Object... arguments) {
    run(kernel, new int[] {blocks, 1, 1}, new int[] {threads, 1, 1}, 0, arguments);
  }

  void run(String kernel, int[] grid, int[] block, int sharedBytes, Object... arguments) {
    driver.launch(
        driver.function(module, kernel),
        grid[0],
        grid[1],
        grid[2],
        block[0],
        block[1],
        block[2],
        sharedBytes,
        0,
        arguments(arguments));
    driver.synchronize(0);
  }

  long function(String kernel) {
    return driver.function(module, kernel);
  }

  KernelArguments arguments(Object... values) {
    List<ValueLayout> layouts = new ArrayList<>();
    for (Object value : values) {
      layouts.add(
          switch (value) {
            case Long _ -> ValueLayout.JAVA_LONG;
            case Integer _ -> ValueLayout.JAVA_INT;
            default -> ValueLayout.JAVA_FLOAT;
          });
    }
    KernelArguments arguments = new KernelArguments(arena, layouts);
    for (int i = 0; i < values.length; i++) {
      switch (values[i]) {
        case Long pointer -> arguments.set(i, pointer);
        case Integer number -> arguments.set(i, number);
        default -> arguments.set(i, (float) values[i]);
      }
    }
    return arguments;
  }

  @Override
  public void close() {
    driver.close();
    arena.close();
  }
}
