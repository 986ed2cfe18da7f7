package dev.kancil.backend.opencl;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.PlainProducts;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Value;
import dev.kancil.tensor.DataType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Activations rounded to bytes, for products of integers: each value once for all products that
 * take it one after the other.
 */
final class RoundedActivations {
  /** What {@code round_activations.cl} does. */
  static final ActivationRounding ROUNDING = new ActivationRounding(127, 32);

  /** A scale, two sums and 32 bytes, as {@code rounded_activations.h} has them. */
  private static final int BLOCK_BYTES = Float.BYTES + 2 * Short.BYTES + 32;

  private final LaunchMaker maker;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;
  // Nodes are lowered in running order, so this is what the rooms hold when the next one runs.
  private final Map<DeviceBuffer, Value> held = new HashMap<>();

  RoundedActivations(
      LaunchMaker maker, Rooms rooms, StepLimits limits, Function<Value, DeviceBuffer> places) {
    this.maker = maker;
    this.rooms = rooms;
    this.limits = limits;
    this.places = places;
  }

  /** Bytes of so many activations. */
  static long bytes(long activations) {
    return activations / ROUNDING.block() * BLOCK_BYTES;
  }

  /** Where a value lies rounded. */
  DeviceBuffer room(Value x) {
    long activations = limits.rows(x.type().rows()) * (long) x.type().columns();
    return rooms.room("rounded activations", bytes(activations));
  }

  /**
   * Work after a value has been rounded, which every step then does, whatever its number of rows:
   * it costs next to nothing beside a product, and later products can rely on it.
   */
  Work before(Value x, Work work) {
    if (x.equals(held.put(room(x), x))) {
      return work;
    }
    int blocks = x.type().columns() / ROUNDING.block();
    Work rounding =
        maker.launch(
            "round_activations.cl",
            "round_activations",
            Map.of(),
            List.of(
                new Argument.Buffer(places.apply(x)),
                new Argument.Buffer(room(x)),
                new Argument.Whole(blocks)),
            x,
            Grid.perRow(blocks));
    return new Work.Sequence(List.of(rounding, work));
  }

  /** For plain products: rounded where the tuner says that products with the type round. */
  PlainProducts.Activations forPlainProducts(ProductTuner tuner) {
    return new PlainProducts.Activations() {
      @Override
      public DeviceBuffer of(Value x, DeviceBuffer place, DataType weightType) {
        return tuner.roundsActivations(weightType) ? room(x) : place;
      }

      @Override
      public Work before(Value x, List<DataType> weightTypes, Work product) {
        boolean rounds = weightTypes.stream().anyMatch(tuner::roundsActivations);
        return rounds ? RoundedActivations.this.before(x, product) : product;
      }

      @Override
      public Map<String, String> defines(DataType weightType) {
        return tuner.roundsActivations(weightType) ? Arithmetic.INTEGERS.defines() : Map.of();
      }
    };
  }
}
