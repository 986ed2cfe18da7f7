package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import dev.kancil.backend.LoadProgress;
import dev.kancil.backend.opencl.Launch.Argument;
import dev.kancil.backend.opencl.ProductShape.Few;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
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
  private final ProductShape.Choices choices;
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
    this.choices = ProductShape.choices(device);
    this.progress = progress;
    this.measures = measures;
  }

  /** The shapes for products with weights of a type. */
  synchronized ProductShape shape(DataType type) {
    return shapes.computeIfAbsent(type, _ -> measures ? tuned(type) : choices.likeliest());
  }

  private ProductShape tuned(DataType type) {
    // All that the choice depends on, but for the device and its driver.
    String question =
        "products with "
            + type
            + " of "
            + choices
            + programs.source("mat_vec.cl")
            + programs.source("mat_mul.cl");
    byte[] kept = programs.cache().find(question, "");
    if (kept != null) {
      ProductShape shape = decode(new String(kept, StandardCharsets.US_ASCII));
      if (shape != null) {
        return shape;
      }
    }
    String answer;
    try {
      answer = new Measurement(type).run();
    } catch (DeviceException e) {
      // No room to measure in: the model itself may still fit.
      return choices.likeliest();
    }
    programs.cache().keep(question, "", answer.getBytes(StandardCharsets.US_ASCII));
    ProductShape shape = decode(answer);
    return shape == null ? choices.likeliest() : shape;
  }

  /**
   * Shapes by their places among the choices, and the most tokens that few are; null if damaged.
   */
  private @Nullable ProductShape decode(String text) {
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
    private final int rows;
    private final String work;
    private final int steps;
    private int step;

    Measurement(DataType type) {
      this.type = type;
      // Beyond the caches of a graphics processor, where reading weights takes the time.
      long bytes = device.isProcessor() ? 8 << 20 : 64 << 20;
      rows = Math.toIntExact(Math.min(bytes, memory.largestAllocation()) / type.byteSize(COLUMNS));
      work = "tuning products with " + type + " weights, once for this device";
      steps = choices.one().size() + choices.few().size() + choices.many().size() + 1;
    }

    String run() {
      try (DeviceBuffer x = memory.allocate((long) MANY * COLUMNS * Float.BYTES, "tuning");
          DeviceBuffer w = memory.allocate(rows * type.byteSize(COLUMNS), "tuning");
          DeviceBuffer y = memory.allocate((long) MANY * rows * Float.BYTES, "tuning");
          DeviceBuffer counts = memory.allocate(Integer.BYTES, "tuning")) {
        // Small positive numbers, whatever the bytes stand for.
        fill(x);
        fill(w);
        List<Argument> arguments =
            List.of(
                new Argument.Buffer(x),
                new Argument.Buffer(w),
                new Argument.Offset(0),
                new Argument.Whole(0),
                new Argument.Whole(rows),
                new Argument.Buffer(y),
                new Argument.Whole(rows),
                new Argument.Buffer(counts),
                new Argument.Whole(0));
        IntFunction<Launch> one = i -> matVec(choices.one().get(i), 1, arguments);
        IntFunction<Launch> few = i -> matVec(choices.few().get(i), Few.TOKENS, arguments);
        IntFunction<Launch> many = i -> matMul(choices.many().get(i), arguments);
        int bestOne = fastest(choices.one().size(), one, 1, counts);
        int bestFew = fastest(choices.few().size(), few, Few.TOKENS, counts);
        int bestMany = fastest(choices.many().size(), many, MANY, counts);
        int most = Few.TOKENS;
        try (Launch ofFew = few.apply(bestFew);
            Launch ofMany = many.apply(bestMany)) {
          for (int tokens : BETWEEN) {
            if (nanos(ofFew, tokens, counts) > nanos(ofMany, tokens, counts)) {
              break;
            }
            most = tokens;
          }
        }
        progress.report(work, 1);
        return bestOne + " " + bestFew + " " + most + " " + bestMany;
      }
    }

    private void fill(DeviceBuffer buffer) {
      try (Arena arena = Arena.ofConfined()) {
        memory.write(buffer, 0, arena.allocate(buffer.bytes()).fill((byte) 0x2c));
      }
    }

    private Launch matVec(Few shape, int tokens, List<Argument> arguments) {
      Map<String, String> defines = ProductShape.weightDefines(device, type, COLUMNS);
      defines.putAll(shape.defines());
      defines.put("TOKENS", String.valueOf(tokens));
      return new Launch(
          "mat_vec",
          programs.kernel("mat_vec.cl", "mat_vec", defines),
          arguments,
          shape.grid(rows, tokens),
          false);
    }

    private Launch matMul(ProductShape.Many shape, List<Argument> arguments) {
      Map<String, String> defines = ProductShape.weightDefines(device, type, COLUMNS);
      defines.putAll(shape.defines());
      return new Launch(
          "mat_mul",
          programs.kernel("mat_mul.cl", "mat_mul", defines),
          arguments,
          shape.grid(rows),
          false);
    }

    private int fastest(int count, IntFunction<Launch> launches, int tokens, DeviceBuffer counts) {
      int best = 0;
      long least = Long.MAX_VALUE;
      for (int i = 0; i < count; i++) {
        progress.report(work, (double) step++ / steps);
        try (Launch launch = launches.apply(i)) {
          long nanos = nanos(launch, tokens, counts);
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

    /** The least time of a launch among some rounds, each long enough to be measured. */
    private long nanos(Launch launch, int tokens, DeviceBuffer counts) {
      try (Arena arena = Arena.ofConfined()) {
        memory.write(counts, 0, arena.allocateFrom(ValueLayout.JAVA_INT, tokens));
      }
      repeat(launch, tokens, 1);
      int times = Math.clamp(ROUND_NANOS / Math.max(1, repeat(launch, tokens, 1)), 1, 100);
      long least = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS; round++) {
        least = Math.min(least, repeat(launch, tokens, times) / times);
      }
      return least;
    }

    private long repeat(Launch launch, int tokens, int times) {
      long start = System.nanoTime();
      for (int i = 0; i < times; i++) {
        launch.enqueue(memory.queue(), tokens, 0);
      }
      memory.finish();
      return System.nanoTime() - start;
    }
  }
}
