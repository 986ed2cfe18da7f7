package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeRoute.Scoring;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers of experts one after the other, which share what sorts their slots, and heads between. */
class ExpertStepTest {
  private static final int VOCABULARY = 61;
  private static final int WIDTH = 64;
  private static final int HIDDEN = 96;
  private static final int EXPERTS = 5;
  private static final int USED = 2;
  private static final int ROWS = 200;

  private static Weight weight(String name, DataType type, long... shape) {
    return new Weight(name, type, Shape.of(shape));
  }

  private static Graph graph() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x =
        builder.add("x", new Embedding(), tokens, weight("table", DataType.F32, VOCABULARY, WIDTH));
    // As many slots of a row as it uses experts, so that both lie in the same room.
    Value heads = builder.add("heads", new SlotIds(USED), x);
    for (int layer = 0; layer < 2; layer++) {
      String name = "layer" + layer;
      x = experts(builder, name, x);
      Value halves =
          builder.add(
              name + ".heads",
              new MoeMatMul(),
              x,
              weight(name + ".heads", DataType.F16, USED, WIDTH / USED, WIDTH / USED),
              heads);
      x = builder.add(name + ".out", new Add(), x, halves);
    }
    return builder.build(List.of(x), new StateLayout(List.of()));
  }

  private static Value experts(GraphBuilder builder, String name, Value x) {
    Weight router = weight(name + ".router", DataType.F32, EXPERTS, WIDTH);
    Value logits = builder.add(name + ".logits", new MatMul(), x, router);
    MoeRoute route = new MoeRoute(USED, Scoring.SOFTMAX, true, 1);
    List<Value> routed =
        builder.add(List.of(name + ".ids", name + ".weights"), route, List.of(logits));
    Value ids = routed.getFirst();
    Weight gateWeight = weight(name + ".gate", DataType.Q8_0, EXPERTS, HIDDEN, WIDTH);
    Weight upWeight = weight(name + ".up", DataType.Q8_0, EXPERTS, HIDDEN, WIDTH);
    Weight downWeight = weight(name + ".down", DataType.F16, EXPERTS, WIDTH, HIDDEN);
    Value gate = builder.add(name + ".gate", new MoeMatMul(), x, gateWeight, ids);
    Value up = builder.add(name + ".up", new MoeMatMul(), x, upWeight, ids);
    Value hidden = builder.add(name + ".hidden", new Glu(Activation.SILU), gate, up);
    Value down = builder.add(name + ".down", new MoeMatMul(), hidden, downWeight, ids);
    Value sum = builder.add(name + ".sum", new MoeSum(), down, routed.getLast());
    return builder.add(name + ".added", new Add(), x, sum);
  }

  private static Tensor random(Weight weight) {
    SplittableRandom random = new SplittableRandom(weight.name().hashCode());
    int columns = Math.toIntExact(weight.shape().columns());
    long rowBytes = weight.type().byteSize(columns);
    MemorySegment data = Arena.ofAuto().allocate(weight.shape().rows() * rowBytes, 64);
    float[] row = new float[columns];
    for (long i = 0; i < weight.shape().rows(); i++) {
      for (int k = 0; k < columns; k++) {
        // Of a size that keeps sums near 1, as models' weights are; logits are far apart.
        double deviation = weight.type() == DataType.F32 ? 1 : 1 / Math.sqrt(columns);
        row[k] = (float) random.nextGaussian(0, deviation);
      }
      Blocks.encode(weight.type(), row, 0, data, i * rowBytes, columns);
    }
    return new Tensor(weight.type(), weight.shape(), data);
  }

  /** Results of steps of so many rows, which are recorded where they come again. */
  private static List<float[]> run(Device device, List<Integer> steps) {
    Graph graph = Fusion.fuse(graph(), device::takes);
    List<float[]> results = new ArrayList<>();
    try (device;
        DeviceWeights weights = device.weights(ExpertStepTest::random);
        SequenceState state = device.createState(graph.state(), 1, ROWS);
        Program program = device.compile(graph, weights, new StepLimits(ROWS, 1, 1))) {
      String output = graph.outputs().getFirst().name();
      for (int rows : steps) {
        Batch batch = new Batch(program.limits());
        int sequence = state.open();
        batch.sequence(sequence, 0);
        for (int i = 0; i < rows; i++) {
          batch.token((7 * i + rows) % VOCABULARY, i == 0);
        }
        try (Step step = program.enqueue(batch, state)) {
          MemorySegment y = step.output(output).asSlice(0, 4L * rows * WIDTH);
          results.add(y.toArray(ValueLayout.JAVA_FLOAT));
        }
        state.release(sequence);
      }
    }
    return results;
  }

  @ParameterizedTest
  @CsvSource({"80, false", "90, false", "90, true"})
  void layersComputeWhatTheReferenceDoesWhateverTheRowsOfAStep(int capability, boolean together) {
    EmulatedDevice emulated =
        EmulatedDevice.standard().withComputeCapability(capability).withWorkers(2);
    CudaBackend backend =
        new CudaBackend(new EmulatedDriver(emulated), RequiredNvrtc.find(), together);
    // Each way to multiply, by turns: slots by themselves, and tiles of each size.
    List<Integer> steps = List.of(20, 1, ROWS, 20, 3, 60, 20, 110, 1, ROWS, 60, 3, 1, 110);
    List<float[]> expected = run(new ReferenceBackend().open(0, DeviceOptions.DEFAULT), steps);
    List<float[]> results = run(backend.open(0, DeviceOptions.DEFAULT), steps);
    for (int i = 0; i < steps.size(); i++) {
      String rows = steps.get(i) + " rows";
      float[] wanted = expected.get(i);
      float[] found = results.get(i);
      double squares = 0;
      double errors = 0;
      for (int k = 0; k < wanted.length; k++) {
        double error = found[k] - wanted[k];
        squares += (double) wanted[k] * wanted[k];
        errors += error * error;
      }
      // What halves lose, over two layers.
      assertThat(errors / squares).as(rows).isLessThan(2e-6);
      assertThat(found).as(rows).isEqualTo(results.get(steps.indexOf(steps.get(i))));
    }
  }
}
