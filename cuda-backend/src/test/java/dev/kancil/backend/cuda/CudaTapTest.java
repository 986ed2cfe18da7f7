package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.KernelArguments;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.engine.ForwardPass;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Taps;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Scale;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An application's kernels work on values where they lie, in its context and on its stream. */
class CudaTapTest {
  private static final int COLUMNS = 8;
  private static final int[] TOKENS = {2, 0, 4, 1, 3};
  private static final Weight ROWS = new Weight("rows", DataType.F32, Shape.of(5, COLUMNS));

  /** Adds what lies at another address. */
  private static final String ADD =
      """
      .version 7.0
      .target sm_75
      .address_size 64
      .visible .entry add(.param .u64 x, .param .u64 y)
      {
      .reg .b32 %r<5>;
      .reg .b64 %rd<5>;
      .reg .f32 %f<4>;
      mov.u32 %r1, %tid.x;
      mov.u32 %r2, %ctaid.x;
      mov.u32 %r3, %ntid.x;
      mad.lo.u32 %r4, %r2, %r3, %r1;
      ld.param.u64 %rd1, [x];
      ld.param.u64 %rd2, [y];
      mad.wide.u32 %rd1, %r4, 4, %rd1;
      mad.wide.u32 %rd2, %r1, 4, %rd2;
      ld.global.f32 %f1, [%rd1];
      ld.global.f32 %f2, [%rd2];
      add.f32 %f3, %f1, %f2;
      st.global.f32 [%rd1], %f3;
      ret;
      }
      """;

  /** Three times each token's row, of which the first is called x. */
  private static Graph graph() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x = builder.add("x", new Embedding(), tokens, ROWS);
    Value y = builder.add("y", new Scale(3), x);
    return builder.build(List.of(y), new StateLayout(List.of()));
  }

  private static Tensor rows() {
    float[] values = new float[5 * COLUMNS];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return new Tensor(DataType.F32, ROWS.shape(), MemorySegment.ofArray(values));
  }

  private static float[][] run(Device device, Graph graph) {
    try (DeviceWeights weights = device.weights(_ -> rows())) {
      return ForwardPass.run(device, graph, weights, TOKENS, 3).getOrDefault("y", new float[0][]);
    }
  }

  @Test
  void theApplicationsKernelChangesAValueOnItsStream() {
    CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    long context = driver.retainContext(0);
    driver.makeCurrent(context);
    long stream = driver.createStream();
    List<Integer> rowsSeen = new ArrayList<>();
    try (Arena arena = Arena.ofShared()) {
      long add = driver.function(driver.loadModule(arena.allocateFrom(ADD)), "add");
      float[] bias = {1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000};
      long y = driver.allocate(COLUMNS * Float.BYTES);
      driver.copyToDevice(y, MemorySegment.ofArray(bias), stream);
      long before = driver.freeBytes();
      KernelArguments arguments =
          new KernelArguments(arena, List.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
      CudaTap tap =
          new CudaTap(
              (value, on, rows, columns) -> {
                rowsSeen.add(rows);
                assertThat(on).isEqualTo(stream);
                arguments.set(0, value);
                arguments.set(1, y);
                driver.launch(add, rows, 1, 1, columns, 1, 1, 0, on, arguments);
              });
      CudaBackend backend = new CudaBackend(driver, RequiredNvrtc.find());
      CudaQueue theirs = new CudaQueue(context, stream);
      try (Device device = backend.open(0, DeviceOptions.DEFAULT, theirs)) {
        float[][] result = run(device, Taps.call(graph(), "x", tap));
        for (int row = 0; row < TOKENS.length; row++) {
          for (int i = 0; i < COLUMNS; i++) {
            assertThat(result[row][i]).isEqualTo(3 * (TOKENS[row] * COLUMNS + i + bias[i]));
          }
        }
      }
      assertThat(rowsSeen).containsExactly(3, 2);
      // Context and stream are still there, and all else is free again.
      driver.makeCurrent(context);
      assertThat(driver.freeBytes()).isEqualTo(before);
      float[] still = new float[COLUMNS];
      driver.copyToHost(MemorySegment.ofArray(still), y, stream);
      assertThat(still).isEqualTo(bias);
    }
  }

  @Test
  void withoutTheApplicationsStreamATapGetsTheDevices() {
    CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    CudaBackend backend = new CudaBackend(driver, RequiredNvrtc.find());
    List<Long> streams = new ArrayList<>();
    CudaTap zeros =
        new CudaTap(
            (value, stream, rows, columns) -> {
              streams.add(stream);
              driver.fill(value, (byte) 0, (long) rows * columns * Float.BYTES, stream);
            });
    try (Device device = backend.open(0, DeviceOptions.DEFAULT)) {
      for (float[] row : run(device, Taps.call(graph(), "x", zeros))) {
        assertThat(row).containsOnly(0);
      }
      assertThat(streams).hasSize(2).doesNotContain(0L);
      // Taps that want values in host memory get them as before.
      float[][] plain = run(device, graph());
      float[][] doubled =
          run(
              device,
              Taps.call(
                  graph(),
                  "x",
                  (data, rows, columns) -> {
                    for (int i = 0; i < rows * columns; i++) {
                      float x = data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, 2 * x);
                    }
                  }));
      for (int row = 0; row < TOKENS.length; row++) {
        for (int i = 0; i < COLUMNS; i++) {
          assertThat(doubled[row][i]).isEqualTo(2 * plain[row][i]);
        }
      }
    }
  }

  @Test
  void whatATapThrowsFailsTheStep() {
    CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    CudaBackend backend = new CudaBackend(driver, RequiredNvrtc.find());
    CudaTap wrong =
        new CudaTap(
            (_, _, _, _) -> {
              throw new IllegalStateException("no kernel");
            });
    try (Device device = backend.open(0, DeviceOptions.DEFAULT)) {
      assertThatThrownBy(() -> run(device, Taps.call(graph(), "x", wrong)))
          .hasStackTraceContaining("no kernel");
    }
  }

  @Test
  void otherDevicesSayThatTheyAreNone() {
    CudaTap tap = new CudaTap((_, _, _, _) -> {});
    try (Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThatThrownBy(() -> run(reference, Taps.call(graph(), "x", tap)))
          .hasStackTraceContaining("this tap sees values of CUDA devices alone");
    }
  }

  @Test
  void aQueueHasBothAContextAndAStream() {
    for (long[] handles : new long[][] {{0, 1}, {1, 0}}) {
      assertThatThrownBy(() -> new CudaQueue(handles[0], handles[1]))
          .as(Arrays.toString(handles))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
