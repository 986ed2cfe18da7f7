package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Native calls arrive as they are meant, at functions with the driver's names written in Java. */
// The methods that stand for the driver's are called from native code, with all that those take.
@SuppressWarnings({"restricted", "UnusedMethod", "UnusedVariable"})
class SystemCudaDriverTest {
  private static final Arena ARENA = Arena.global();
  private static final List<String> CALLS = new ArrayList<>();
  private static final Map<String, MemorySegment> FUNCTIONS = new HashMap<>();
  private static final CudaDriver DRIVER;

  static {
    stand("cuInit", "init", int.class);
    stand("cuDriverGetVersion", "version", MemorySegment.class);
    stand("cuGetErrorName", "errorName", int.class, MemorySegment.class);
    stand("cuGetErrorString", "errorString", int.class, MemorySegment.class);
    stand("cuDeviceGet", "device", MemorySegment.class, int.class);
    stand("cuDeviceGetName", "deviceName", MemorySegment.class, int.class, int.class);
    stand("cuDeviceGetPCIBusId", "busId", MemorySegment.class, int.class, int.class);
    stand("cuMemAlloc_v2", "memAlloc", MemorySegment.class, long.class);
    stand(
        "cuModuleLoadDataEx",
        "load",
        MemorySegment.class,
        MemorySegment.class,
        int.class,
        MemorySegment.class,
        MemorySegment.class);
    stand(
        "cuLaunchKernel",
        "launch",
        long.class,
        int.class,
        int.class,
        int.class,
        int.class,
        int.class,
        int.class,
        int.class,
        long.class,
        MemorySegment.class,
        MemorySegment.class);
    stand("cuStreamBeginCapture_v2", "beginCapture", long.class, int.class);
    stand("cuStreamEndCapture", "endCapture", long.class, MemorySegment.class);
    stand(
        "cuGraphInstantiateWithFlags", "instantiate", MemorySegment.class, long.class, long.class);
    stand("cuGraphLaunch", "launchGraph", long.class, long.class);
    stand("cuGraphDestroy", "destroyGraph", long.class);
    stand("cuGraphExecDestroy", "destroyExecutable", long.class);
    stand("cuEventCreate", "createEvent", MemorySegment.class, int.class);
    stand("cuEventElapsedTime", "elapsed", MemorySegment.class, long.class, long.class);
    stand("cuFuncGetAttribute", "functionAttribute", MemorySegment.class, int.class, long.class);
    stand(
        "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        "occupancy",
        MemorySegment.class,
        long.class,
        int.class,
        long.class);
    stand(
        "cuLaunchKernelEx",
        "launchEx",
        MemorySegment.class,
        long.class,
        MemorySegment.class,
        MemorySegment.class);
    MemorySegment other = Objects.requireNonNull(FUNCTIONS.get("cuInit"));
    DRIVER =
        SystemCudaDriver.open(
            new NativeLibrary(
                "a stand-in",
                name -> Optional.ofNullable(FUNCTIONS.get(name)).or(() -> Optional.of(other))));
  }

  private static void stand(String name, String method, Class<?>... parameters) {
    try {
      FunctionDescriptor descriptor = FunctionDescriptor.of(JAVA_INT);
      for (Class<?> parameter : parameters) {
        ValueLayout layout =
            parameter == int.class ? JAVA_INT : parameter == long.class ? JAVA_LONG : ADDRESS;
        descriptor = descriptor.appendArgumentLayouts(layout);
      }
      FUNCTIONS.put(
          name,
          Linker.nativeLinker()
              .upcallStub(
                  MethodHandles.lookup()
                      .findStatic(
                          SystemCudaDriverTest.class,
                          method,
                          MethodType.methodType(int.class, parameters)),
                  descriptor,
                  ARENA));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static int init(int flags) {
    return flags;
  }

  private static int version(MemorySegment result) {
    result.reinterpret(4).set(JAVA_INT, 0, 12_080);
    return 0;
  }

  private static int errorName(int error, MemorySegment result) {
    result.reinterpret(8).set(ADDRESS, 0, ARENA.allocateFrom("CUDA_ERROR_OF_TEST"));
    return 0;
  }

  private static int errorString(int error, MemorySegment result) {
    result.reinterpret(8).set(ADDRESS, 0, ARENA.allocateFrom("no room"));
    return 0;
  }

  private static int device(MemorySegment result, int index) {
    result.reinterpret(4).set(JAVA_INT, 0, 10 + index);
    return 0;
  }

  private static int deviceName(MemorySegment text, int bytes, int device) {
    text.reinterpret(bytes).setString(0, "device " + device);
    return 0;
  }

  private static int busId(MemorySegment text, int bytes, int device) {
    text.reinterpret(bytes).setString(0, "0000:" + device + ":00.0");
    return device == 19 ? 101 : 0;
  }

  private static int memAlloc(MemorySegment result, long bytes) {
    if (bytes > 1L << 40) {
      return CudaException.OUT_OF_MEMORY;
    }
    result.reinterpret(8).set(JAVA_LONG, 0, 0x7f00_0000_0100L + bytes);
    return 0;
  }

  private static int load(
      MemorySegment module,
      MemorySegment image,
      int count,
      MemorySegment options,
      MemorySegment values) {
    assertThat(count).isEqualTo(2);
    MemorySegment pair = values.reinterpret(16);
    MemorySegment log = MemorySegment.ofAddress(pair.get(JAVA_LONG, 0));
    log.reinterpret(pair.get(JAVA_LONG, 8)).setString(0, "line 3: what is this?\n");
    return 218;
  }

  private static int launch(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      MemorySegment parameters,
      MemorySegment extra) {
    MemorySegment entries = extra.reinterpret(40);
    MemorySegment packed =
        MemorySegment.ofAddress(entries.get(JAVA_LONG, 8))
            .reinterpret(
                MemorySegment.ofAddress(entries.get(JAVA_LONG, 24))
                    .reinterpret(8)
                    .get(JAVA_LONG, 0));
    CALLS.add(
        "%d: %d×%d×%d of %d×%d×%d, %d bytes, stream %d, %s, keys %d %d %d: %d %s %s"
            .formatted(
                function,
                gridX,
                gridY,
                gridZ,
                blockX,
                blockY,
                blockZ,
                sharedBytes,
                stream,
                parameters.address() == 0 ? "packed" : "not packed",
                entries.get(JAVA_LONG, 0),
                entries.get(JAVA_LONG, 16),
                entries.get(JAVA_LONG, 32),
                packed.get(JAVA_INT, 0),
                packed.get(JAVA_LONG, 8),
                packed.get(ValueLayout.JAVA_FLOAT, 16)));
    return 0;
  }

  private static int launchEx(
      MemorySegment config, long function, MemorySegment parameters, MemorySegment extra) {
    MemorySegment fields = config.reinterpret(56);
    int[] sizes = fields.asSlice(0, 28).toArray(JAVA_INT);
    MemorySegment attribute = fields.get(ADDRESS, 40).reinterpret(72);
    CALLS.add(
        "%d early: %s, stream %d, %d attribute: %d is %d, rest %d, %s, argument %d"
            .formatted(
                function,
                Arrays.toString(sizes),
                fields.get(JAVA_LONG, 32),
                fields.get(JAVA_INT, 48),
                attribute.get(JAVA_INT, 0),
                attribute.get(JAVA_INT, 8),
                attribute.get(JAVA_INT, 12),
                parameters.address() == 0 ? "packed" : "not packed",
                extra.reinterpret(40).get(ADDRESS, 8).reinterpret(4).get(JAVA_INT, 0)));
    return 0;
  }

  private static int answer(MemorySegment result, long value) {
    result.reinterpret(8).set(JAVA_LONG, 0, value);
    return 0;
  }

  private static int answer(MemorySegment result, int value) {
    result.reinterpret(4).set(JAVA_INT, 0, value);
    return 0;
  }

  private static int beginCapture(long stream, int mode) {
    CALLS.add("begin " + stream + " in mode " + mode);
    return 0;
  }

  private static int endCapture(long stream, MemorySegment graph) {
    return stream == 5 ? 901 : answer(graph, stream + 1000);
  }

  private static int instantiate(MemorySegment executable, long graph, long flags) {
    return answer(executable, graph + 10_000 + flags);
  }

  private static int launchGraph(long executable, long stream) {
    CALLS.add("graph " + executable + " on " + stream);
    return executable == 5 ? 400 : 0;
  }

  private static int destroyGraph(long graph) {
    CALLS.add("end " + graph);
    return 0;
  }

  private static int destroyExecutable(long executable) {
    CALLS.add("end executable " + executable);
    return 0;
  }

  private static int createEvent(MemorySegment event, int flags) {
    return answer(event, 70L + flags);
  }

  private static int elapsed(MemorySegment result, long from, long to) {
    return answer(result, Float.floatToRawIntBits((to - from) * 0.25f));
  }

  private static int functionAttribute(MemorySegment result, int attribute, long function) {
    return answer(result, (int) function * 10 + attribute);
  }

  private static int occupancy(MemorySegment result, long function, int threads, long bytes) {
    return answer(result, (int) function + threads + (int) (bytes >> 10));
  }

  @BeforeEach
  void forget() {
    CALLS.clear();
  }

  @Test
  void answersComeThroughMemory() {
    assertThat(DRIVER.version()).isEqualTo(12_080);
    assertThat(DRIVER.allocate(5)).isEqualTo(0x7f00_0000_0105L);
  }

  @Test
  void argumentsTravelInOnePiece() {
    try (Arena arena = Arena.ofConfined()) {
      KernelArguments arguments =
          new KernelArguments(arena, List.of(JAVA_INT, JAVA_LONG, ValueLayout.JAVA_FLOAT));
      arguments.set(0, 7);
      arguments.set(1, -8L);
      arguments.set(2, 1.5f);
      DRIVER.launch(99, 1, 2, 3, 4, 5, 6, 7, 88, arguments);
      assertThatThrownBy(() -> arguments.set(0, 1.5f)).hasMessageContaining("parameter 0");
    }
    assertThat(CALLS)
        .containsExactly("99: 1×2×3 of 4×5×6, 7 bytes, stream 88, packed, keys 1 2 0: 7 -8 1.5");
  }

  @Test
  void launchesThatStartEarlySaySoInTheirAttribute() {
    try (Arena arena = Arena.ofConfined()) {
      KernelArguments arguments = new KernelArguments(arena, List.of(JAVA_INT));
      arguments.set(0, 7);
      DRIVER.launch(99, 1, 2, 3, 4, 5, 6, 7, 88, arguments, true);
      arguments.set(0, 8);
      DRIVER.launch(98, 6, 5, 4, 3, 2, 1, 0, 87, arguments, true);
    }
    String attribute = "1 attribute: 6 is 1, rest 0, packed, argument ";
    assertThat(CALLS)
        .containsExactly(
            "99 early: [1, 2, 3, 4, 5, 6, 7], stream 88, " + attribute + 7,
            "98 early: [6, 5, 4, 3, 2, 1, 0], stream 87, " + attribute + 8);
  }

  @Test
  void graphsGoByTheirHandles() {
    DRIVER.beginCapture(7);
    long graph = DRIVER.endCapture(7);
    long executable = DRIVER.instantiate(graph);
    DRIVER.destroyGraph(graph);
    DRIVER.launchGraph(executable, 8);
    DRIVER.destroyExecutable(executable);
    assertThat(CALLS)
        .containsExactly(
            "begin 7 in mode 2", "end 1007", "graph 11007 on 8", "end executable 11007");
    assertThatThrownBy(() -> DRIVER.endCapture(5))
        .hasMessage("CUDA can't make a graph of a stream: no room (CUDA_ERROR_OF_TEST 901)");
    assertThatThrownBy(() -> DRIVER.launchGraph(5, 8))
        .hasMessage("CUDA can't launch a graph: no room (CUDA_ERROR_OF_TEST 400)");
  }

  @Test
  void onlyTimedEventsTakeTheTime() {
    assertThat(DRIVER.createTimedEvent()).isEqualTo(70);
    assertThat(DRIVER.createEvent()).isEqualTo(72);
    assertThat(DRIVER.milliseconds(70, 75)).isEqualTo(1.25f);
  }

  @Test
  void kernelsTellWhatTheyNeed() {
    assertThat(DRIVER.attribute(50, FunctionAttribute.REGISTERS)).isEqualTo(504);
    assertThat(DRIVER.occupancy(50, 128, 3 << 10)).isEqualTo(181);
  }

  @Test
  void devicesTellTheirNamesAndPlaces() {
    assertThat(DRIVER.name(3)).isEqualTo("device 13");
    assertThat(DRIVER.pciBusId(3)).hasValue("0000:13:00.0");
    assertThatThrownBy(() -> DRIVER.pciBusId(9))
        .hasMessage("CUDA can't tell where a device is: no room (CUDA_ERROR_OF_TEST 101)");
  }

  @Test
  void errorsHaveTheDriversWords() {
    assertThatThrownBy(() -> DRIVER.allocate(1L << 41))
        .isInstanceOf(CudaException.class)
        .hasMessage("CUDA can't allocate 2199023255552 bytes: no room (CUDA_ERROR_OF_TEST 2)")
        .extracting(e -> ((CudaException) e).code())
        .isEqualTo(CudaException.OUT_OF_MEMORY);
    assertThatThrownBy(() -> DRIVER.loadModule(MemorySegment.ofArray(new byte[] {'x', 0})))
        .hasMessageEndingWith("(CUDA_ERROR_OF_TEST 218): line 3: what is this?");
  }
}
