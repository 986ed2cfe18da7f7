package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import dev.kancil.backend.LoadProgress;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.Launch;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.backend.opencl.ProductShape.Few;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jocl.cl_kernel;
import org.jspecify.annotations.Nullable;

/**
 * Finds by measuring how work-items divide products best on a device, once for each type of
 * weights; what it finds is kept beside the built programs.
 */
final class ProductTuner {
  private static final int COLUMNS = 2048;

  /** Tokens at which shapes for many of them are measured. */
  private static final int MANY = 128;

  /** Tokens at which the shapes for few and for many are compared, rising. */
  private static final int[] BETWEEN = {16, 32, 64};

  private static final int ROUNDS = 3;
  private static final long ROUND_NANOS = 4_000_000;

  private final ClDevice device;
  private final Programs programs;
  private final Memory memory;
  private final LoadProgress progress;
  private final boolean measures;
  private final Map<DataType, ProductShape> shapes = new EnumMap<>(DataType.class);

  /**
   * @param measures whether to measure at all; otherwise the likeliest shapes are taken
   */
  ProductTuner(Programs programs, Memory memory, LoadProgress progress, boolean measures) {
    this.device = memory.device();
    this.programs = programs;
    this.memory = memory;
    this.progress = progress;
    this.measures = measures;
  }

  /** The shapes for products with weights of a type. */
  synchronized ProductShape shape(DataType type) {
    return shapes.computeIfAbsent(type, this::find);
  }

  /** Whether products with weights of a type round their other operand. */
  boolean roundsActivations(DataType type) {
    return device.arithmetic().contains(Arithmetic.INTEGERS)
        && Arithmetic.INTEGERS.suits(type)
        && shape(type).roundsActivations();
  }

  private ProductShape find(DataType type) {
    ProductShape.Choices choices = ProductShape.choices(device, type);
    return measures ? tuned(type, choices) : choices.likeliest();
  }

  private ProductShape tuned(DataType type, ProductShape.Choices choices) {
    // All that the choice depends on, but for the device and its driver.
    String question =
        "products with "
            + type
            + " of "
            + choices
            + programs.source("mat_vec.cl")
            + programs.source("mat_mul.cl")
            + programs.source("integer_mat_mul.cl")
            + programs.source("round_activations.cl");
    byte[] kept = programs.cache().find(question, "");
    if (kept != null) {
      ProductShape shape = decode(new String(kept, StandardCharsets.US_ASCII), choices);
      if (shape != null) {
        return shape;
      }
    }
    String answer;
    try {
      answer = new Measurement(type, choices).run();
    } catch (DeviceException e) {
      // No room to measure in: the model itself may still fit.
      return ProductShape.floats(device).likeliest();
    }
    programs.cache().keep(question, "", answer.getBytes(StandardCharsets.US_ASCII));
    ProductShape shape = decode(answer, choices);
    return shape == null ? ProductShape.floats(device).likeliest() : shape;
  }

  /**
   * Shapes by their places among the choices, and the most tokens that few are; null if damaged.
   */
  private static @Nullable ProductShape decode(String text, ProductShape.Choices choices) {
    String[] parts = text.split(" ", -1);
    try {
      return new ProductShape(
          choices.one().get(Integer.parseInt(parts[0])),
          choices.few().get(Integer.parseInt(parts[1])),
          Math.max(Few.TOKENS, Integer.parseInt(parts[2])),
          choices.many().get(Integer.parseInt(parts[3])));
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      return null;
    }
  }

  /** Products with one matrix, whose size is typical, in all shapes. */
  private final class Measurement {
    private final DataType type;
    private final ProductShape.Choices choices;
    private final int rows;
    private final String work;
    private final int steps;
    private final List<Launch> made = new ArrayList<>();
    private int step;

    Measurement(DataType type, ProductShape.Choices choices) {
      this.type = type;
      this.choices = choices;
      // Beyond the caches of a graphics processor, where reading weights takes the time.
      long bytes = device.isProcessor() ? 8 << 20 : 64 << 20;
      rows = Math.toIntExact(Math.min(bytes, memory.largestAllocation()) / type.byteSize(COLUMNS));
      work = "tuning products with " + type + " weights, once for this device";
      steps = choices.one().size() + choices.few().size() + choices.many().size() + 1;
    }

    String run() {
      long activations = (long) MANY * COLUMNS;
      try (DeviceBuffer x = memory.allocate(activations * Float.BYTES, "tuning");
          DeviceBuffer rounded = memory.allocate(RoundedActivations.bytes(activations), "tuning");
          DeviceBuffer w = memory.allocate(rows * type.byteSize(COLUMNS), "tuning");
          DeviceBuffer y = memory.allocate((long) MANY * rows * Float.BYTES, "tuning");
          DeviceBuffer counts = memory.allocate(Integer.BYTES, "tuning")) {
        // Small positive numbers, whatever the bytes stand for.
        fill(x);
        fill(w);
        Operands operands = new Operands(x, rounded, w, y, counts);
        IntFunction<Work> one = i -> matVec(choices.one().get(i), 1, operands);
        IntFunction<Work> few = i -> matVec(choices.few().get(i), Few.TOKENS, operands);
        IntFunction<Work> many = i -> matMul(choices.many().get(i), operands);
        int bestOne = fastest(choices.one().size(), one, 1, counts);
        int bestFew = fastest(choices.few().size(), few, Few.TOKENS, counts);
        int bestMany = fastest(choices.many().size(), many, MANY, counts);
        int most = Few.TOKENS;
        Work ofFew = few.apply(bestFew);
        Work ofMany = many.apply(bestMany);
        for (int tokens : BETWEEN) {
          if (nanos(ofFew, tokens, counts) > nanos(ofMany, tokens, counts)) {
            break;
          }
          most = tokens;
        }
        progress.report(work, 1);
        return bestOne + " " + bestFew + " " + most + " " + bestMany;
      } finally {
        made.forEach(Launch::close);
      }
    }

    private void fill(DeviceBuffer buffer) {
      try (Arena arena = Arena.ofConfined()) {
        memory.write(buffer, 0, arena.allocate(buffer.bytes()).fill((byte) 0x2c));
      }
    }

    private record Operands(
        DeviceBuffer x,
        DeviceBuffer rounded,
        DeviceBuffer w,
        DeviceBuffer y,
        DeviceBuffer counts) {}

    private Work matVec(Few shape, int tokens, Operands operands) {
      Map<String, String> defines = ProductShape.weightDefines(device, type, COLUMNS);
      defines.putAll(shape.defines());
      defines.put("TOKENS", String.valueOf(tokens));
      return product("mat_vec", defines, shape.arithmetic(), operands, shape.grid(rows, tokens));
    }

    private Work matMul(ProductShape.Many shape, Operands operands) {
      Map<String, String> defines = ProductShape.weightDefines(device, type, COLUMNS);
      defines.putAll(shape.defines());
      return product(shape.kernel(), defines, shape.arithmetic(), operands, shape.grid(rows));
    }

    /** A product, and before one of integers what it needs, which costs time, too. */
    private Work product(
        String function,
        Map<String, String> defines,
        Arithmetic arithmetic,
        Operands operands,
        Grid grid) {
      boolean integers = arithmetic == Arithmetic.INTEGERS;
      Work product =
          launch(
              function,
              defines,
              List.of(
                  new Argument.Buffer(integers ? operands.rounded() : operands.x()),
                  new Argument.Buffer(operands.w()),
                  new Argument.Offset(0),
                  new Argument.Whole(0),
                  new Argument.Whole(rows),
                  new Argument.Buffer(operands.y()),
                  new Argument.Whole(rows),
                  new Argument.Buffer(operands.counts()),
                  new Argument.Whole(0)),
              grid);
      if (!integers) {
        return product;
      }
      int blocks = COLUMNS / RoundedActivations.ROUNDING.block();
      Work rounding =
          launch(
              "round_activations",
              Map.of(),
              List.of(
                  new Argument.Buffer(operands.x()),
                  new Argument.Buffer(operands.rounded()),
                  new Argument.Whole(blocks),
                  new Argument.Buffer(operands.counts()),
                  new Argument.Whole(0)),
              Grid.perRow(blocks));
      return new Work.Sequence(List.of(rounding, product));
    }

    private Launch launch(
        String function, Map<String, String> defines, List<Argument> arguments, Grid grid) {
      cl_kernel kernel = programs.kernel(function + ".cl", function, defines);
      Launch launch = new ClLaunch(memory.queue(), function, kernel, arguments, grid, false);
      made.add(launch);
      return launch;
    }

    private int fastest(int count, IntFunction<Work> works, int tokens, DeviceBuffer counts) {
      int best = 0;
      long least = Long.MAX_VALUE;
      for (int i = 0; i < count; i++) {
        progress.report(work, (double) step++ / steps);
        try {
          Work product = works.apply(i);
          long nanos = nanos(product, tokens, counts);
          if (nanos < least) {
            least = nanos;
            best = i;
          }
        } catch (DeviceException e) {
          // A shape that the device can't build or run is none.
        }
      }
      return best;
    }

    /** The least time of a product among some rounds, each long enough to be measured. */
    private long nanos(Work product, int tokens, DeviceBuffer counts) {
      try (Arena arena = Arena.ofConfined()) {
        memory.write(counts, 0, arena.allocateFrom(ValueLayout.JAVA_INT, tokens));
      }
      repeat(product, tokens, 1);
      int times = Math.clamp(ROUND_NANOS / Math.max(1, repeat(product, tokens, 1)), 1, 100);
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        least = Math.min(least, repeat(product, tokens, times) / times);
      }
      return least;
    }

    private long repeat(Work product, int tokens, int times) {
      long start = System.nanoTime();
      for (int i = 0; i < times; i++) {
        product.enqueue(tokens, 0);
      }
      memory.finish();
      return System.nanoTime() - start;
    }
  }
}
