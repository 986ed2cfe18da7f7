package dev.kancil.conformance;

import dev.kancil.tensor.DataType;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** One operation on operands of certain types and sizes, and how close a device must come. */
public final class Case {
  /** The limit where everything is computed in float32. */
  static final double UNROUNDED = 1e-7;

  private final String op;
  private final List<DataType> types;
  private final String shape;
  private final List<Event> events;
  private final Consumer<Scene> recipe;
  private final boolean isExact;

  Case(String op, List<DataType> types, String shape, List<Event> events, Consumer<Scene> recipe) {
    this(op, types, shape, events, recipe, false);
  }

  private Case(
      String op,
      List<DataType> types,
      String shape,
      List<Event> events,
      Consumer<Scene> recipe,
      boolean isExact) {
    this.op = op;
    this.types = List.copyOf(types);
    this.shape = shape;
    this.events = List.copyOf(events);
    this.recipe = recipe;
    this.isExact = isExact;
  }

  /** A case of one step with {@code rows} rows of one sequence. */
  static Case of(String op, DataType type, String shape, int rows, Consumer<Scene> recipe) {
    return new Case(op, List.of(type), shape, List.of(Event.rows(rows)), recipe);
  }

  /** A case whose results must be the reference's to the last bit. */
  static Case exact(
      String op, DataType type, String shape, List<Event> events, Consumer<Scene> recipe) {
    return new Case(op, List.of(type), shape, events, recipe, true);
  }

  /** The operation's name. */
  public String op() {
    return op;
  }

  /** The types of the operands that may vary: the weight's, or those of cached keys and values. */
  public List<DataType> types() {
    return types;
  }

  /** Sizes and settings, for people. */
  public String shape() {
    return shape;
  }

  /**
   * The largest normalised mean squared error, by the least exact type: what a device may lose that
   * computes in float32 from exactly decoded operands, or that rounds the other operand of a
   * product to the weight's own half precision, which is F16's for eight-bit floats.
   */
  public double limit() {
    if (isExact) {
      return 0;
    }
    double limit = UNROUNDED;
    for (DataType type : types) {
      limit =
          Math.max(
              limit,
              switch (type) {
                case F16, F8_E4M3 -> 1e-6;
                case BF16 -> 1e-5;
                default -> UNROUNDED;
              });
    }
    return limit;
  }

  List<Event> events() {
    return events;
  }

  /**
   * Builds the case's graph and data, the same each time.
   *
   * @param decomposed whether a fused operation is replaced by what defines it
   */
  Scene build(boolean decomposed) {
    Scene scene = new Scene(toString().hashCode(), events, decomposed);
    recipe.accept(scene);
    return scene;
  }

  @Override
  public String toString() {
    return op
        + " "
        + types.stream().map(DataType::name).collect(Collectors.joining("/"))
        + " "
        + shape;
  }
}
