package dev.kancil.family;

import dev.kancil.UnsupportedException;
import dev.kancil.format.Adapter;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.RowAdapters;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.MatMul;
import dev.kancil.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adapters that stand beside the base, of which each row has one or none. Where a weight is some
 * rows of a tensor, or a tensor turned round, so is what adapters add to it.
 */
final class ChosenAdapters {
  private static final int MOST_NAMED = 5;

  private final List<List<Adapter>> choices;
  // By the weight's name, then by the number of the choice.
  private final Map<String, Map<Integer, List<LowRankPart>>> parts = new LinkedHashMap<>();
  private final Map<String, Set<Change>> changesOf = new HashMap<>();
  private final Set<Change> placed = new HashSet<>();
  private final Set<Change> refused = new HashSet<>();
  private final Set<String> problems = new LinkedHashSet<>();

  /** One of the adapters, and a tensor that it changes. */
  private record Change(Adapter adapter, String tensor) {}

  /** What a checkpoint calls a tensor. */
  interface Names {
    /** The names under which adapters may know it, the checkpoint's first. */
    List<String> of(String pattern);

    /** Whether a matrix is [out, in] whatever its family declares. */
    boolean isLinear(String pattern);
  }

  /**
   * @param choices what a row can have; of several adapters it has all
   */
  ChosenAdapters(List<List<Adapter>> choices) {
    this.choices = choices;
  }

  boolean isEmpty() {
    return choices.isEmpty();
  }

  /** Takes note of a weight, and of where it lies. */
  void note(String weight, WeightPlace place, Shape shape, Names names) {
    if (parts.containsKey(weight)) {
      return;
    }
    if (shape.rank() != 2) {
      refuse(place, names);
      return;
    }
    Map<Integer, List<LowRankPart>> ofWeight = new LinkedHashMap<>();
    Set<Change> changes = new LinkedHashSet<>();
    for (int i = 0; i < choices.size(); i++) {
      for (Adapter adapter : choices.get(i)) {
        LowRankPart part = part(adapter, place, shape, names, changes);
        if (part != null) {
          ofWeight.computeIfAbsent(i, _ -> new ArrayList<>()).add(part);
        }
      }
    }
    if (!ofWeight.isEmpty()) {
      parts.put(weight, ofWeight);
      changesOf.put(weight, changes);
    }
  }

  private @Nullable LowRankPart part(
      Adapter adapter, WeightPlace place, Shape shape, Names names, Set<Change> changes) {
    return switch (place) {
      case WeightPlace.Named(String pattern) -> named(adapter, pattern, shape, names, changes);
      case WeightPlace.Rows(WeightPlace of, long first, long total) -> {
        Shape whole = Shape.of(total, shape.columns());
        LowRankPart all = part(adapter, of, whole, names, changes);
        int from = Math.toIntExact(first);
        yield all == null ? null : all.rows(rows(shape), row -> from + row);
      }
      case WeightPlace.RowsOfGroups(WeightPlace of, long first, long each, long group) -> {
        Shape whole = Shape.of(shape.dimension(0) / each * group, shape.columns());
        LowRankPart all = part(adapter, of, whole, names, changes);
        yield all == null
            ? null
            : all.rows(
                rows(shape), row -> Math.toIntExact(row / each * group + first + row % each));
      }
      case WeightPlace.Transposed(WeightPlace of) -> {
        if (of instanceof WeightPlace.Named(String pattern) && names.isLinear(pattern)) {
          yield part(adapter, of, shape, names, changes);
        }
        Shape turned = Shape.of(shape.columns(), shape.dimension(0));
        LowRankPart all = part(adapter, of, turned, names, changes);
        yield all == null ? null : all.transposed();
      }
      // What is made of these is no product, or one by experts, or an encoder's.
      case WeightPlace.Shaped _,
          WeightPlace.Microscaled _,
          WeightPlace.PlusOne _,
          WeightPlace.OfExperts _,
          WeightPlace.OfHeads _,
          WeightPlace.Stacked _,
          WeightPlace.ByLayer _,
          WeightPlace.Interpolated _,
          WeightPlace.Sinusoids _,
          WeightPlace.Zeros _ -> {
        refuse(place, names);
        yield null;
      }
    };
  }

  /** Takes note that what lies there can't be chosen, whatever else is made of its tensors. */
  private void refuse(WeightPlace place, Names names) {
    switch (place) {
      case WeightPlace.Named(String pattern) -> refuse(pattern, names);
      case WeightPlace.Microscaled(String blocks, String scales) -> {
        refuse(blocks, names);
        refuse(scales, names);
      }
      case WeightPlace.Rows(WeightPlace of, _, _) -> refuse(of, names);
      case WeightPlace.RowsOfGroups(WeightPlace of, _, _, _) -> refuse(of, names);
      case WeightPlace.Shaped(WeightPlace of, _) -> refuse(of, names);
      case WeightPlace.Transposed(WeightPlace of) -> refuse(of, names);
      case WeightPlace.PlusOne(WeightPlace of) -> refuse(of, names);
      case WeightPlace.OfExperts(WeightPlace of) -> refuse(of, names);
      case WeightPlace.OfHeads(WeightPlace of, _) -> refuse(of, names);
      case WeightPlace.Stacked(List<WeightPlace> rows) -> rows.forEach(row -> refuse(row, names));
      case WeightPlace.ByLayer(List<WeightPlace> places) ->
          places.forEach(one -> refuse(one, names));
      case WeightPlace.Interpolated(WeightPlace of, _, _, _, _) -> refuse(of, names);
      case WeightPlace.Sinusoids _, WeightPlace.Zeros _ -> {}
    }
  }

  private void refuse(String pattern, Names names) {
    for (List<Adapter> choice : choices) {
      for (Adapter adapter : choice) {
        names.of(pattern).forEach(name -> refused.add(new Change(adapter, name)));
      }
    }
  }

  private static int rows(Shape shape) {
    return Math.toIntExact(shape.dimension(0));
  }

  private @Nullable LowRankPart named(
      Adapter adapter, String pattern, Shape shape, Names names, Set<Change> changes) {
    for (String name : names.of(pattern)) {
      if (!(adapter.changes().get(name) instanceof Adapter.LowRank low)) {
        continue;
      }
      String problem = AdaptedWeights.problem(low, shape);
      if (problem.isEmpty()) {
        changes.add(new Change(adapter, name));
        return LowRankPart.of(low);
      }
      problems.add(adapter.name() + ": of " + name + ", " + problem);
    }
    return null;
  }

  /**
   * A graph whose rows choose.
   *
   * @param graph without adapters
   * @param weights gets those of the adapters
   * @throws UnsupportedException if an adapter changes what is no product with a row
   */
  Graph choosing(Graph graph, Weights weights) {
    Map<String, RowAdapters.Factors> factors = new LinkedHashMap<>();
    Set<String> elsewhere = new HashSet<>();
    Map<String, Weight> products = new LinkedHashMap<>();
    for (Node node : graph.nodes()) {
      for (Operand operand : node.inputs()) {
        if (operand instanceof Weight weight && parts.containsKey(weight.name())) {
          if (node.op() instanceof MatMul) {
            products.put(weight.name(), weight);
          } else {
            elsewhere.add(weight.name());
          }
        }
      }
    }
    products.keySet().removeAll(elsewhere);
    products.forEach(
        (name, weight) -> {
          placed.addAll(changesOf.getOrDefault(name, Set.of()));
          Map<Integer, List<LowRankPart>> ofWeight = parts.getOrDefault(name, Map.of());
          factors.put(
              name, StackedFactors.of(weight, choices.size(), ofWeight, weights, problems::add));
        });
    placed.removeAll(refused);
    elsewhere.forEach(name -> placed.removeAll(changesOf.getOrDefault(name, Set.of())));
    for (List<Adapter> choice : choices) {
      for (Adapter adapter : choice) {
        if (adapter.changes().isEmpty()) {
          problems.add(adapter.name() + ": it changes nothing");
        }
        for (String name : adapter.changes().keySet()) {
          if (!placed.contains(new Change(adapter, name))) {
            problems.add(adapter.name() + ": it changes " + name);
          }
        }
      }
    }
    if (!problems.isEmpty()) {
      List<String> all = List.copyOf(problems);
      String more = all.size() > MOST_NAMED ? "; and " + (all.size() - MOST_NAMED) + " more" : "";
      throw new UnsupportedException(
          String.join("; ", all.subList(0, Math.min(all.size(), MOST_NAMED)))
              + more
              + ": beside the base adapters change matrices that rows are multiplied with, and"
              + " nothing else; merge it instead (--lora, ModelOptions.adapters)");
    }
    return RowAdapters.add(graph, Collections.unmodifiableMap(factors));
  }
}
