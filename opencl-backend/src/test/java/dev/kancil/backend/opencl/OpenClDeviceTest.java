package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.WeightSource;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeRoute.Scoring;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.graph.op.Score;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.File;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OpenClDeviceTest {
  private static final int VOCABULARY = 2_000;
  private static final int WIDTH = 40;
  private static final int EXPERTS = 5;
  private static final int EXPERT_ROWS = 500;

  @BeforeEach
  void aDeviceIsThere() {
    OpenClDevices.require();
  }

  @Test
  void matricesThatSpanBuffersGiveTheSameResults() {
    // A buffer holds 1,250 rows of the matrix, so that the second is not full.
    try (Device whole = open(Long.MAX_VALUE);
        Device divided = open(1_250 * WIDTH * Float.BYTES);
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      for (int rows : new int[] {1, 3, 17}) {
        float[] expected = run(reference, rows);
        assertThat(run(whole, rows)).containsExactly(expected, within());
        assertThat(run(divided, rows)).containsExactly(expected, within());
      }
    }
  }

  @Test
  void expertsThatSpanBuffersStayWholeAndGiveTheSameResults() {
    // A buffer has room for two and a half.
    try (Device whole = open(Long.MAX_VALUE);
        Device divided = open(5 * EXPERT_ROWS / 2 * WIDTH * Float.BYTES);
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      for (int rows : new int[] {1, 3, 22}) {
        float[] expected = runExperts(reference, rows);
        assertThat(runExperts(whole, rows)).containsExactly(expected, within());
        assertThat(runExperts(divided, rows)).containsExactly(expected, within());
      }
    }
  }

  @Test
  void whatATokenDoesNotSeeCannotReachIt() {
    // The last token's keys and values are NaN, and lie in the tiles of all that come before it.
    for (ClDevice shaped : shapes()) {
      try (Device device = open(shaped, Long.MAX_VALUE);
          Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
        for (int rows : new int[] {3, 40}) {
          float[] expected = runAttention(reference, rows);
          float[] found = runAttention(device, rows);
          int seen = (rows - 1) * WIDTH;
          assertThat(Arrays.copyOf(found, seen))
              .containsExactly(Arrays.copyOf(expected, seen), within());
          assertThat(found[seen]).isNaN();
        }
      }
    }
  }

  private static List<ClDevice> shapes() {
    ClDevice device = Platforms.find().devices().getFirst();
    return List.of(device, device.asGraphics(), device.asPlain());
  }

  /** Attention whose last row's keys and values are NaN. */
  private static float[] runAttention(Device device, int rows) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
    Weight queries = new Weight("queries", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Weight table = new Weight("table", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Value q = builder.add("q", new Embedding(), tokens, queries);
    Value x = builder.add("x", new Embedding(), tokens, table);
    StateSlot slot = new StateSlot(0, 0);
    builder.add(List.of(), new CacheWrite(slot), List.of(x, x));
    Attention attention = new Attention(slot, 1, 1, WIDTH, WIDTH, 1, Mask.CAUSAL, Score.PLAIN);
    Value y = builder.add("y", attention, q, positions);
    StateGroup group = new StateGroup(1, WIDTH, WIDTH, DataType.F32, DataType.F32, 0);
    Graph graph = builder.build(List.of(y), new StateLayout(List.of(group)));
    return run(
        device,
        graph,
        rows,
        weight -> weight.equals(table) ? poisoned(table, token(rows - 1)) : random(weight));
  }

  private static Tensor poisoned(Weight weight, int row) {
    Tensor tensor = random(weight);
    for (int i = 0; i < WIDTH; i++) {
      tensor.data().setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) row * WIDTH + i, Float.NaN);
    }
    return tensor;
  }

  @Test
  void everyObjectOfTheDriverIsReleased() {
    long before = Handles.OPEN.get();
    try (Device device = open(Long.MAX_VALUE)) {
      run(device, 3);
    }
    assertThat(Handles.OPEN.get()).isEqualTo(before);
  }

  @Test
  void aProgramThatFailsHalfBuiltReleasesWhatItMade() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Weight table = new Weight("table", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Weight missing = new Weight("missing", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Value x = builder.add("x", new Embedding(), tokens, table);
    // The first product is made before the second is found to have no weight.
    List<Value> products =
        builder.add(List.of("y", "z"), new ParallelMatMul(2), List.of(x, table, missing));
    Graph graph = builder.build(products, new StateLayout(List.of()));
    long before = Handles.OPEN.get();
    try (Device device = open(Long.MAX_VALUE);
        DeviceWeights weights = device.weights(weight -> only(table, weight))) {
      assertThatThrownBy(() -> device.compile(graph, weights, new StepLimits(3, 1, 1)))
          .hasMessage("no missing");
    }
    assertThat(Handles.OPEN.get()).isEqualTo(before);
  }

  private static Tensor only(Weight there, Weight weight) {
    if (!weight.equals(there)) {
      throw new IllegalArgumentException("no " + weight.name());
    }
    return random(weight);
  }

  @Test
  void shapesOfProductsAreMeasuredOnceForADevice() {
    List<String> works = new ArrayList<>();
    DeviceOptions options = DeviceOptions.DEFAULT.withProgress((work, _) -> works.add(work));
    for (int i = 0; i < 2; i++) {
      works.clear();
      try (Device device = new OpenClBackend().open(0, options)) {
        run(device, 3);
      }
      assertThat(works).anyMatch(work -> work.startsWith("bringing weights"));
    }
    assertThat(works).noneMatch(work -> work.startsWith("tuning"));
  }

  @Test
  void activationsAreRoundedOnlyWhereThatWasAllowed() {
    ClDevice device = Platforms.find().devices().getFirst();
    DeviceDescription description = new OpenClBackend().devices().getFirst();
    DeviceOptions guarded = DeviceOptions.DEFAULT.withGuards();
    try (Device exact = new OpenClDevice(device, description, guarded);
        Device rounding =
            new OpenClDevice(device.allowing(Arithmetic.INTEGERS), description, guarded)) {
      for (DataType type : DataType.values()) {
        assertThat(exact.activationRounding(type)).isEqualTo(ActivationRounding.NONE);
      }
      // A guarded device measures nothing and tries what was allowed.
      assertThat(rounding.activationRounding(DataType.Q4_K))
          .isEqualTo(new ActivationRounding(127, 32));
      assertThat(rounding.activationRounding(DataType.F16)).isEqualTo(ActivationRounding.NONE);
    }
  }

  @Test
  void aSecondClassLoaderIsToldWhyItHasNoOpenCl() throws Exception {
    assertThat(Platforms.find().devices()).isNotEmpty();
    URL[] classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(OpenClDeviceTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader other =
        new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
      Class<?> backend = other.loadClass(OpenClBackend.class.getName());
      Object instance = backend.getConstructor().newInstance();
      assertThat(backend.getMethod("devices").invoke(instance))
          .asString()
          .contains("another class loader");
    }
  }

  private static URL url(String path) {
    try {
      return Path.of(path).toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException(path, e);
    }
  }

  @Test
  void tooLittleMemoryNamesWhatItWasForAndWhatToLower() {
    try (Device device = open(1 << 20)) {
      StateLayout layout =
          new StateLayout(List.of(new StateGroup(1, 512, 512, DataType.F32, DataType.F32, 0)));
      long before = Handles.OPEN.get();
      assertThatThrownBy(() -> device.createState(layout, 1, 4096))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("the KV cache")
          .hasMessageContaining("8.0 MiB")
          .hasMessageContaining("--ctx");
      assertThat(Handles.OPEN.get()).isEqualTo(before);
    }
  }

  @Test
  void aKernelThatDoesNotBuildShowsItsLine() {
    String log = "input.cl:3:7: error: use of undeclared identifier 'rowz'\n1 error generated.";
    assertThat(Programs.explain("a\nb\n  c = rowz;\nd", log))
        .isEqualTo("use of undeclared identifier 'rowz', in line 3: c = rowz;");
    assertThat(Programs.explain("a", "internal error")).isEqualTo("internal error");
    assertThat(Programs.explain("a", "")).isEqualTo("the driver does not say why");
  }

  private static org.assertj.core.data.Offset<Float> within() {
    return org.assertj.core.data.Offset.offset(1e-4f);
  }

  private static Device open(long largestAllocation) {
    return open(Platforms.find().devices().getFirst(), largestAllocation);
  }

  private static Device open(ClDevice device, long largestAllocation) {
    return new OpenClDevice(
        device, new OpenClBackend().devices().getFirst(), DeviceOptions.DEFAULT, largestAllocation);
  }

  /** Rows of a table times a matrix. */
  private static float[] run(Device device, int rows) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Weight table = new Weight("table", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Weight matrix = new Weight("matrix", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Value x = builder.add("x", new Embedding(), tokens, table);
    Value y = builder.add("y", new MatMul(), x, matrix);
    return run(device, builder.build(List.of(y), new StateLayout(List.of())), rows);
  }

  /** Rows of a table times the matrices of their experts, gated. */
  private static float[] runExperts(Device device, int rows) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Weight table = new Weight("table", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Weight router = new Weight("router", DataType.F32, Shape.of(EXPERTS, WIDTH));
    Shape shape = Shape.of(EXPERTS, EXPERT_ROWS, WIDTH);
    Value x = builder.add("x", new Embedding(), tokens, table);
    Value logits = builder.add("logits", new MatMul(), x, router);
    Value ids =
        builder
            .add(
                List.of("ids", "weights"),
                new MoeRoute(2, Scoring.SOFTMAX, true, 1),
                List.of(logits))
            .getFirst();
    Weight gate = new Weight("gate", DataType.F32, shape);
    Weight up = new Weight("up", DataType.F32, shape);
    Value y = builder.add("y", new MoeMatMul(), x, gate, ids);
    MoeGluMatMul glu = new MoeGluMatMul(Activation.SILU);
    Value z =
        device.takes(glu)
            ? builder.add("z", glu, x, gate, up, ids)
            : glu.decompose(builder, List.of(x, gate, up, ids), List.of("z")).getFirst();
    return run(device, builder.build(List.of(y, z), new StateLayout(List.of())), rows);
  }

  /** The outputs of a step, one after the other. */
  private static float[] run(Device device, Graph graph, int rows) {
    return run(device, graph, rows, OpenClDeviceTest::random);
  }

  private static float[] run(Device device, Graph graph, int rows, WeightSource source) {
    StepLimits limits = new StepLimits(rows, 1, 1);
    try (DeviceWeights weights = device.weights(source);
        SequenceState state = device.createState(graph.state(), 1, rows);
        Program program = device.compile(graph, weights, limits)) {
      Batch batch = new Batch(limits);
      batch.sequence(state.open(), 0);
      for (int row = 0; row < rows; row++) {
        batch.token(token(row), row == 0);
      }
      try (Step step = program.enqueue(batch, state)) {
        float[] all = new float[0];
        for (Value output : graph.outputs()) {
          float[] data =
              step.output(output.name())
                  .asSlice(0, rows * output.type().rowBytes())
                  .toArray(ValueLayout.JAVA_FLOAT);
          int from = all.length;
          all = Arrays.copyOf(all, from + data.length);
          System.arraycopy(data, 0, all, from, data.length);
        }
        return all;
      }
    }
  }

  private static int token(int row) {
    return (130 * row + 1_240) % VOCABULARY;
  }

  private static Tensor random(Weight weight) {
    SplittableRandom random = new SplittableRandom(weight.name().hashCode());
    float[] data = new float[Math.toIntExact(weight.shape().elements())];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextGaussian();
    }
    return new Tensor(weight.type(), weight.shape(), MemorySegment.ofArray(data));
  }
}
