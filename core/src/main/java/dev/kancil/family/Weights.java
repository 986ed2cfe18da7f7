package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.backend.WeightSource;
import dev.kancil.format.Adapter;
import dev.kancil.format.Checkpoint;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint's weights by purpose, each checked against the shape that the family expects. What
 * is wrong is gathered, so that {@link #requireComplete} tells of all of it at once.
 */
final class Weights implements WeightSource {
  private static final int MOST_NAMED = 20;
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final Place OUTSIDE = new Place(0, 0, false, false);

  /** What older checkpoints have beside weights: masks and tables that anybody can compute. */
  private static final List<String> IGNORED =
      List.of(
          ".rotary_emb.inv_freq",
          ".attn.bias",
          ".attention.bias",
          ".masked_bias",
          "embeddings.position_ids",
          // What activations and caches would be rounded with, which stay as they are.
          ".input_scale",
          ".k_scale",
          ".v_scale");

  private final AdaptedWeights adapted;
  private final ChosenAdapters chosen;
  private final Checkpoint checkpoint;
  private final WeightNames names;
  private final boolean isShort;
  private final GroupedWeights grouped;
  private final ScaledWeights scaled;
  private final Map<IntBuffer, Weight> orders;
  private final Map<String, PlacedWeight> placed;
  private final SequencedMap<Purpose, PlacedWeight> asked;
  private final Set<String> used;
  private final List<String> problems;

  Weights(Checkpoint checkpoint, WeightNames names) {
    this(checkpoint, names, List.of(), new ChosenAdapters(List.of()));
  }

  /**
   * @param adapters what changes the checkpoint's tensors
   * @param chosen is told of all weights
   */
  Weights(Checkpoint checkpoint, WeightNames names, List<Adapter> adapters, ChosenAdapters chosen) {
    adapted = new AdaptedWeights(adapters);
    this.chosen = chosen;
    this.checkpoint = checkpoint;
    this.names = names;
    isShort = isShort(checkpoint, names);
    Quantization quantization = Quantization.of(checkpoint);
    grouped = new GroupedWeights(this, quantization);
    scaled = new ScaledWeights(this, quantization);
    orders = new HashMap<>();
    placed = new HashMap<>();
    asked = new LinkedHashMap<>();
    used = new HashSet<>();
    problems = new ArrayList<>();
  }

  private Weights(Weights other, WeightNames names) {
    adapted = other.adapted;
    chosen = other.chosen;
    checkpoint = other.checkpoint;
    this.names = names;
    isShort = isShort(checkpoint, names);
    grouped = other.grouped;
    scaled = other.scaled;
    orders = other.orders;
    placed = other.placed;
    asked = new LinkedHashMap<>();
    used = other.used;
    problems = other.problems;
  }

  private static boolean isShort(Checkpoint checkpoint, WeightNames names) {
    return !names.prefix().isEmpty()
        && checkpoint.tensorNames().stream().noneMatch(name -> name.startsWith(names.prefix()));
  }

  Weight weight(WeightName purpose, int layer, long... shape) {
    return find(purpose, new Place(layer, 0, false, false), Shape.of(shape));
  }

  /** A matrix whose columns may be in another {@link #order} than x's. */
  Weight reordered(WeightName purpose, int layer, long out, long in) {
    return find(purpose, new Place(layer, 0, false, true), Shape.of(out, in));
  }

  /** The numbers of x's columns in the order of a matrix's, if that is not x's own. */
  Optional<Weight> order(Weight matrix) {
    PlacedWeight found = placed.get(matrix.name());
    return found == null ? Optional.empty() : Optional.ofNullable(found.order());
  }

  /** An order of columns, which those who have the same share. */
  Weight order(int[] columns) {
    return orders.computeIfAbsent(
        IntBuffer.wrap(columns),
        _ -> keep(PlacedWeight.wholes("order of columns " + orders.size(), columns)));
  }

  /** The same checkpoint by other names, where a model has two parts. */
  Weights under(WeightNames others) {
    return new Weights(this, others);
  }

  /** Whether the family has such a weight. */
  boolean hasName(WeightName purpose) {
    return names.has(purpose);
  }

  /** What is added to the product with a weight. */
  Weight bias(WeightName purpose, int layer, long columns) {
    return find(purpose, new Place(layer, 0, true, false), Shape.of(columns));
  }

  /** A weight that only some checkpoints have. */
  Optional<Weight> optional(WeightName purpose, long... shape) {
    return has(purpose) ? Optional.of(weight(purpose, 0, shape)) : Optional.empty();
  }

  /** Whether there is a weight outside of the layers. */
  boolean has(WeightName purpose) {
    return nameOf(purpose).filter(name -> has(name) || isGrouped(name)).isPresent();
  }

  boolean has(String tensor) {
    return checkpoint.tensor(tensor).isPresent();
  }

  /** Whether a weight lies as {@link GroupedWeights} has it, not under its own name. */
  private boolean isGrouped(String name) {
    return !has(name) && name.endsWith(WEIGHT) && has(stem(name) + GroupedWeights.QUANTS);
  }

  private static String stem(String name) {
    return name.substring(0, name.length() - WEIGHT.length());
  }

  /** Takes note of a weight that may be there and is not needed. */
  void leaveOut(WeightName purpose) {
    nameOf(purpose).ifPresent(used::add);
  }

  /** What a weight outside of the layers is called, if it is a tensor of its own. */
  private Optional<String> nameOf(WeightName purpose) {
    return names.has(purpose) && names.place(purpose) instanceof WeightPlace.Named(String pattern)
        ? Optional.of(name(pattern, OUTSIDE))
        : Optional.empty();
  }

  /** Numbers that the family knows, not the checkpoint. */
  Weight constant(String name, List<Float> values) {
    return keep(PlacedWeight.constant(name, values));
  }

  /** Rows of the token embedding. */
  long vocabulary() {
    if (names.place(WeightName.TOKEN_EMBEDDING) instanceof WeightPlace.Stacked(var rows)) {
      return rows.size();
    }
    String name = nameOf(WeightName.TOKEN_EMBEDDING).orElseThrow();
    Tensor table =
        checkpoint
            .tensor(name)
            .orElseThrow(
                () ->
                    new FormatException(
                        checkpoint.name()
                            + ": the tensor "
                            + name
                            + " is missing; is this file a vocabulary alone?"));
    return table.shape().rows();
  }

  /** A weight by its name, which no other has. */
  Weight keep(PlacedWeight weight) {
    placed.put(weight.name(), weight);
    return new Weight(weight.name(), weight.type(), weight.shape());
  }

  private Weight find(WeightName purpose, Place where, Shape shape) {
    PlacedWeight found = resolve(where, names.place(purpose), shape);
    if (found != null) {
      asked.put(new Purpose(purpose, where.layer, where.isBias), found);
      chosen.note(found.name(), names.place(purpose), shape, new AdapterNames(where));
      return keep(found);
    }
    // The graph goes on, to find what else is wrong.
    return new Weight("missing " + problems.size(), DataType.F32, shape);
  }

  /**
   * What a weight is for.
   *
   * @param layer 0 outside of layers
   */
  record Purpose(WeightName name, int layer, boolean isBias) {}

  /** All weights of the checkpoint that were asked for by these names, in order. */
  SequencedMap<Purpose, PlacedWeight> asked() {
    return asked;
  }

  /** The layer, the expert, whether it is a bias, and whether columns may have another order. */
  private record Place(int layer, int expert, boolean isBias, boolean mayReorder) {
    Place inOrder() {
      return new Place(layer, expert, isBias, false);
    }
  }

  private String name(String pattern, Place where) {
    String name =
        pattern
            .replace("{}", String.valueOf(where.layer))
            .replace("{e}", String.valueOf(where.expert));
    if (isShort && name.startsWith(names.prefix())) {
      name = name.substring(names.prefix().length());
    }
    return where.isBias && name.endsWith(WEIGHT) ? stem(name) + BIAS : name;
  }

  private @Nullable PlacedWeight resolve(Place where, WeightPlace place, Shape shape) {
    return switch (place) {
      case WeightPlace.Named(String pattern) -> named(name(pattern, where), where, shape);
      case WeightPlace.Rows(WeightPlace of, long first, long total) -> {
        PlacedWeight all = resolve(where, of, withRows(shape, total));
        yield all == null ? null : all.rows(first, shape);
      }
      case WeightPlace.RowsOfGroups(WeightPlace of, long first, long each, long group) -> {
        long total = shape.dimension(0) / each * group;
        PlacedWeight all = resolve(where, of, withRows(shape, total));
        yield all == null ? null : all.rowsOfGroups(first, each, group, shape);
      }
      case WeightPlace.Shaped(WeightPlace of, _) when where.isBias -> resolve(where, of, shape);
      case WeightPlace.Shaped(WeightPlace of, List<Long> from) -> {
        Shape stored = new Shape(from);
        if (stored.elements() != shape.elements()) {
          throw new IllegalArgumentException("a weight of shape " + stored + " as " + shape);
        }
        PlacedWeight all = resolve(where.inOrder(), of, stored);
        yield all == null ? null : all.shaped(shape);
      }
      case WeightPlace.Transposed(WeightPlace of) -> {
        // Grouped integers are always of a linear layer, which is [out, in].
        if (shape.rank() == 1
            || of instanceof WeightPlace.Named(String pattern) && isGrouped(name(pattern, where))) {
          yield resolve(where, of, shape);
        }
        List<Long> dimensions = new ArrayList<>(shape.dimensions());
        Collections.swap(dimensions, shape.rank() - 2, shape.rank() - 1);
        PlacedWeight all = resolve(where.inOrder(), of, new Shape(dimensions));
        yield all == null ? null : all.transposed(shape);
      }
      case WeightPlace.Microscaled(String blocks, String scales) ->
          microscaled(name(blocks, where), name(scales, where), shape);
      case WeightPlace.PlusOne(WeightPlace of) when where.isBias -> resolve(where, of, shape);
      case WeightPlace.PlusOne(WeightPlace of) -> {
        PlacedWeight all = resolve(where, of, shape);
        yield all == null ? null : all.plusOne();
      }
      case WeightPlace.ByLayer(List<WeightPlace> places) ->
          resolve(where, places.get(where.layer), shape);
      case WeightPlace.OfExperts(WeightPlace of) -> experts(where, of, shape);
      case WeightPlace.Stacked(List<WeightPlace> rows) -> stacked(where, rows, shape);
      case WeightPlace.Interpolated grid -> {
        Shape learnt = Shape.of(1 + (long) grid.rows() * grid.columns(), shape.columns());
        PlacedWeight all = resolve(where, grid.of(), learnt);
        yield all == null ? null : Interpolation.of(grid, all, shape);
      }
      case WeightPlace.Sinusoids() -> PlacedWeight.sinusoids(shape);
      case WeightPlace.Zeros() ->
          PlacedWeight.constant(
              "zeros " + shape, Collections.nCopies(Math.toIntExact(shape.elements()), 0f));
      case WeightPlace.OfHeads(WeightPlace of, int heads) -> {
        Shape ofHeads = Shape.of(heads, shape.dimension(0) / heads);
        PlacedWeight all = resolve(where, of, ofHeads);
        yield all == null ? null : all.shaped(shape);
      }
    };
  }

  /** What adapters call a place's tensors. */
  private final class AdapterNames implements ChosenAdapters.Names {
    private final Place where;

    AdapterNames(Place where) {
      this.where = where;
    }

    @Override
    public List<String> of(String pattern) {
      return names.spellings(name(pattern, where));
    }

    @Override
    public boolean isLinear(String pattern) {
      return isGrouped(name(pattern, where));
    }
  }

  private static Shape withRows(Shape shape, long rows) {
    List<Long> dimensions = new ArrayList<>(shape.dimensions());
    dimensions.set(0, rows);
    return new Shape(dimensions);
  }

  /** A tensor; null, and a problem, if there is none. */
  @Nullable Tensor tensor(String name) {
    Tensor tensor = checkpoint.tensor(name).orElse(null);
    if (tensor == null) {
      problem("the tensor " + name + " is missing");
      return null;
    }
    used.add(name);
    return tensor;
  }

  /** All of a tensor of which weights that were found are parts. */
  PlacedWeight whole(String pattern, int layer) {
    Place where = new Place(layer, 0, false, false);
    Shape shape = checkpoint.tensor(name(pattern, where)).orElseThrow().shape();
    return Objects.requireNonNull(resolve(where, WeightPlace.named(pattern), shape));
  }

  /** Takes note of something that is wrong. */
  void problem(String what) {
    problems.add(what);
  }

  private @Nullable Tensor tensor(String name, Shape shape) {
    Tensor tensor = tensor(name);
    if (tensor != null && !withoutOnes(tensor.shape()).equals(withoutOnes(shape))) {
      problems.add("the tensor " + name + " has shape " + tensor.shape() + ", not " + shape);
      return null;
    }
    return tensor;
  }

  private @Nullable PlacedWeight microscaled(String blocks, String scales, Shape shape) {
    List<Long> dimensions = new ArrayList<>(shape.dimensions());
    dimensions.set(shape.rank() - 1, shape.columns() / DataType.MXFP4.blockElements());
    Shape ofScales = new Shape(dimensions);
    dimensions.add((long) Microscaling.BLOCK_BYTES);
    Tensor bytes = packed(blocks, new Shape(dimensions));
    Tensor exponents = packed(scales, ofScales);
    if (bytes == null || exponents == null) {
      return null;
    }
    return PlacedWeight.microscaled(blocks, bytes, exponents, shape);
  }

  private @Nullable Tensor packed(String name, Shape shape) {
    Tensor tensor = tensor(name, shape);
    if (tensor != null && tensor.type() != DataType.I8) {
      problems.add("the tensor " + name + " is of type " + tensor.type() + ", not of bytes");
      return null;
    }
    return tensor;
  }

  private @Nullable PlacedWeight named(String name, Place where, Shape shape) {
    PlacedWeight found = stored(name, where, shape);
    return found == null ? null : adapted.of(names.spellings(name), found, this);
  }

  private @Nullable PlacedWeight stored(String name, Place where, Shape shape) {
    if (isGrouped(name)) {
      return grouped.place(stem(name), shape, where.mayReorder);
    }
    Tensor tensor = tensor(name, shape);
    if (tensor == null) {
      return null;
    }
    if (tensor.type() == DataType.F8_E4M3 || tensor.type() == DataType.F8_E5M2) {
      return scaled.place(name, tensor, shape);
    }
    PlacedWeight found =
        new PlacedWeight(name, tensor.type(), tensor.shape(), () -> tensor).shaped(shape);
    return switch (tensor.type()) {
      case I8, I16, I32, I64 -> {
        problems.add("the tensor " + name + " is of type " + tensor.type() + ", not of numbers");
        yield null;
      }
      case F64 -> found.floats();
      default -> found;
    };
  }

  /** A matrix of one row may lie as a vector, a number as a vector of one, and so on. */
  private static Shape withoutOnes(Shape shape) {
    List<Long> dimensions = shape.dimensions();
    while (dimensions.size() > 1 && dimensions.getFirst() == 1) {
      dimensions = dimensions.subList(1, dimensions.size());
    }
    return dimensions.isEmpty() ? Shape.of(1) : new Shape(dimensions);
  }

  private @Nullable PlacedWeight stacked(Place where, List<WeightPlace> rows, Shape shape) {
    if (shape.rank() != 2 || shape.dimension(0) != rows.size()) {
      throw new IllegalArgumentException(rows.size() + " rows as " + shape);
    }
    List<PlacedWeight> found = new ArrayList<>();
    for (WeightPlace row : rows) {
      PlacedWeight part = resolve(where, row, Shape.of(shape.columns()));
      if (part != null) {
        found.add(part.floats());
      }
    }
    return found.size() < rows.size()
        ? null
        : PlacedWeight.stacked(
            found.stream().map(PlacedWeight::name).collect(Collectors.joining(" and ")),
            found,
            shape);
  }

  private @Nullable PlacedWeight experts(Place where, WeightPlace of, Shape shape) {
    Shape ofOne = new Shape(shape.dimensions().subList(1, shape.rank()));
    List<PlacedWeight> parts = new ArrayList<>();
    boolean isWhole = true;
    for (int expert = 0; expert < shape.dimension(0); expert++) {
      PlacedWeight part = resolve(new Place(where.layer, expert, where.isBias, false), of, ofOne);
      if (part == null) {
        isWhole = false;
      } else {
        parts.add(part);
      }
    }
    if (!isWhole) {
      return null;
    }
    String name = parts.getFirst().name();
    boolean isGrouped =
        parts.stream().allMatch(part -> part.name().endsWith(GroupedWeights.QUANTS));
    if (isGrouped && parts.stream().map(PlacedWeight::type).distinct().count() > 1) {
      parts.replaceAll(PlacedWeight::floats);
    }
    for (PlacedWeight part : parts) {
      if (part.type() != parts.getFirst().type()) {
        problems.add(
            "the tensor "
                + part.name()
                + " is of type "
                + part.type()
                + ", and "
                + name
                + " of "
                + parts.getFirst().type());
        return null;
      }
    }
    return PlacedWeight.stacked(name + " and those of all experts", parts, shape);
  }

  /**
   * Throws what is wrong.
   *
   * @throws FormatException if something is missing or misshapen
   * @throws UnsupportedException if the checkpoint has tensors that the graph leaves out, which
   *     would go unnoticed
   */
  void requireComplete() {
    adapted.requireMet(this);
    List<String> left =
        checkpoint.tensorNames().stream()
            .filter(name -> !used.contains(name) && !names.ignores(name))
            .filter(name -> IGNORED.stream().noneMatch(name::endsWith))
            .filter(name -> !isEmptyBias(name))
            .map(
                name ->
                    "the tensor "
                        + name
                        + " has no place in architecture "
                        + checkpoint.architecture())
            .toList();
    List<String> all = Stream.concat(problems.stream().distinct(), left.stream()).toList();
    if (all.isEmpty()) {
      grouped.report(checkpoint.name());
      scaled.report(checkpoint.name());
      return;
    }
    String message =
        checkpoint.name()
            + ": "
            + String.join("; ", all.subList(0, Math.min(all.size(), MOST_NAMED)));
    if (all.size() > MOST_NAMED) {
      message += "; and " + (all.size() - MOST_NAMED) + " more";
    }
    throw problems.isEmpty() ? new UnsupportedException(message) : new FormatException(message);
  }

  /** What quantizing writes for layers that have no bias. */
  private boolean isEmptyBias(String name) {
    if (!name.endsWith(BIAS)
        || !has(name.substring(0, name.length() - BIAS.length()) + GroupedWeights.QUANTS)) {
      return false;
    }
    for (float number : Blocks.decode(checkpoint.tensor(name).orElseThrow())) {
      if (number != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whole numbers that this has made. */
  int[] numbers(Weight weight) {
    return tensor(weight).data().toArray(ValueLayout.JAVA_INT);
  }

  @Override
  public Tensor tensor(Weight weight) {
    PlacedWeight found = placed.get(weight.name());
    if (found == null) {
      throw new FormatException(checkpoint.name() + ": there is no tensor " + weight.name());
    }
    return found.tensor().get();
  }
}
