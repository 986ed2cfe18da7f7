package dev.kancil.family;

import dev.kancil.UnsupportedException;
import dev.kancil.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * Puts weights where a format keeps them: the inverse of reading them from there. A tensor that
 * holds several weights is made of all of them.
 */
final class GgufPlaces {
  /** By tensor: what is in it, by its first row. */
  private final SequencedMap<String, SequencedMap<Long, PlacedWeight>> parts =
      new LinkedHashMap<>();

  /** By tensor: how many rows it has; 0: those of its only part. */
  private final Map<String, Long> rows = new LinkedHashMap<>();

  /** Names of a tensor in two formats, which has several weights in the same way. */
  record Same(String there, String here) {}

  /** The tensor of which two places take the same part, if it is no mere row or name. */
  static Optional<Same> same(WeightPlace there, WeightPlace here) {
    return there instanceof WeightPlace.RowsOfGroups
            || there instanceof WeightPlace.Shaped
            || there instanceof WeightPlace.Transposed
        ? unwrapped(there, here)
        : Optional.empty();
  }

  private static Optional<Same> unwrapped(WeightPlace there, WeightPlace here) {
    if (there instanceof WeightPlace.Named(String one)
        && here instanceof WeightPlace.Named(String other)) {
      return Optional.of(new Same(one, other));
    }
    if (there instanceof WeightPlace.RowsOfGroups one
        && here instanceof WeightPlace.RowsOfGroups other
        && one.first() == other.first()
        && one.each() == other.each()
        && one.group() == other.group()) {
      return unwrapped(one.of(), other.of());
    }
    if (there instanceof WeightPlace.Shaped one
        && here instanceof WeightPlace.Shaped other
        && one.from().equals(other.from())) {
      return unwrapped(one.of(), other.of());
    }
    if (there instanceof WeightPlace.Transposed one
        && here instanceof WeightPlace.Transposed other) {
      return unwrapped(one.of(), other.of());
    }
    return Optional.empty();
  }

  /** Adds a whole tensor, which may come again. */
  void add(int layer, String pattern, PlacedWeight weight) {
    Weights.Purpose purpose = new Weights.Purpose(WeightName.QUERY, layer, false);
    add(purpose, new WeightPlace.Named(pattern), weight, 0, 0);
  }

  /**
   * Adds a weight, where these names have it. One that is there already may come again.
   *
   * @param names of the stack of blocks that it is of
   */
  void add(WeightNames names, Weights.Purpose given, PlacedWeight weight) {
    // What gives classes brings the pooler.
    boolean isPooler = given.name() == WeightName.HEAD_DENSE && names.has(WeightName.POOLER);
    Weights.Purpose purpose =
        isPooler ? new Weights.Purpose(WeightName.POOLER, 0, given.isBias()) : given;
    if (!names.has(purpose.name())) {
      throw new UnsupportedException(
          "GGUF files have no place for " + purpose.name() + " of this architecture");
    }
    if (weight.order() != null) {
      throw new UnsupportedException(
          weight.name() + " has its columns in another order, which GGUF files can't say");
    }
    // A gate of one row lies as a vector.
    boolean isVector = purpose.name() == WeightName.SHARED_SWITCH;
    PlacedWeight shaped = isVector ? weight.shaped(Shape.of(weight.shape().columns())) : weight;
    add(purpose, names.place(purpose.name()), shaped, 0, 0);
  }

  private void add(
      Weights.Purpose purpose, WeightPlace place, PlacedWeight weight, long first, long total) {
    switch (place) {
      case WeightPlace.Named(String pattern) -> {
        String name = pattern.replace("{}", String.valueOf(purpose.layer()));
        if (purpose.isBias() && name.endsWith(".weight")) {
          name = name.substring(0, name.length() - ".weight".length()) + ".bias";
        }
        SequencedMap<Long, PlacedWeight> ofTensor =
            parts.computeIfAbsent(name, _ -> new TreeMap<>());
        PlacedWeight before = ofTensor.put(first, weight);
        boolean isOther = before != null && !before.name().equals(weight.name());
        if (isOther || rows.getOrDefault(name, total) != total) {
          throw new IllegalArgumentException(name + " would be written twice");
        }
        rows.put(name, total);
      }
      case WeightPlace.Rows(WeightPlace of, long start, long all) when total == 0 ->
          add(purpose, of, weight, start, all);
      case WeightPlace.OfHeads(WeightPlace of, int heads) when total == 0 ->
          add(
              purpose,
              of,
              weight.shaped(Shape.of(heads, weight.shape().dimension(0) / heads)),
              0,
              0);
      default ->
          throw new UnsupportedException(
              "weights can't be written as GGUF files of this architecture have " + purpose.name());
    }
  }

  void addFactors(WeightNames names, WeightName name, List<Float> factors) {
    add(
        names,
        new Weights.Purpose(name, 0, false),
        PlacedWeight.constant(name.toString(), factors));
  }

  List<GgufLayout.Placed> tensors() {
    List<GgufLayout.Placed> tensors = new ArrayList<>();
    parts.forEach(
        (name, ofTensor) -> {
          PlacedWeight weight = whole(name, List.copyOf(ofTensor.values()));
          if (rows.getOrDefault(name, 0L) != 0) {
            requireWhole(name, ofTensor);
          }
          tensors.add(new GgufLayout.Placed(name, weight.type(), weight.shape(), weight.tensor()));
        });
    return tensors;
  }

  private void requireWhole(String name, SequencedMap<Long, PlacedWeight> ofTensor) {
    long at = 0;
    for (Map.Entry<Long, PlacedWeight> part : ofTensor.entrySet()) {
      if (part.getKey() != at) {
        throw new IllegalArgumentException("nothing has the row " + at + " of " + name);
      }
      at += part.getValue().shape().dimension(0);
    }
    if (at != rows.getOrDefault(name, 0L)) {
      throw new IllegalArgumentException(name + " has " + at + " rows, not " + rows.get(name));
    }
  }

  private static PlacedWeight whole(String name, List<PlacedWeight> ofTensor) {
    PlacedWeight first = ofTensor.getFirst();
    if (ofTensor.size() == 1) {
      return first;
    }
    boolean isOfOneType = ofTensor.stream().allMatch(part -> part.type() == first.type());
    List<PlacedWeight> alike =
        isOfOneType ? ofTensor : ofTensor.stream().map(PlacedWeight::floats).toList();
    List<Long> dimensions = new ArrayList<>(first.shape().dimensions());
    dimensions.set(0, ofTensor.stream().mapToLong(part -> part.shape().dimension(0)).sum());
    return PlacedWeight.stacked(name, alike, new Shape(dimensions));
  }
}
