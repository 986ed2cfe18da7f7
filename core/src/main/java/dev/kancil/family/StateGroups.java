package dev.kancil.family;

import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;

/** Lays out what is cached, for one graph or for some that share it. */
final class StateGroups {
  private final DataType keyType;
  private final DataType valueType;
  private final List<StateGroup> groups = new ArrayList<>();

  StateGroups(DataType keyType, DataType valueType) {
    this.keyType = keyType;
    this.valueType = valueType;
  }

  StateLayout layout() {
    return new StateLayout(groups);
  }

  /** A graph's way in: it takes one slot after the other, as other graphs do from the first on. */
  final class Slots {
    private final List<Integer> used = new ArrayList<>();

    /** The next of the sequence's own. */
    StateSlot next(int keyColumns, int valueColumns, int window) {
      int group = find(keyColumns, valueColumns, window, false);
      while (used.size() <= group) {
        used.add(0);
      }
      int layer = used.get(group);
      used.set(group, layer + 1);
      return slot(group, layer);
    }
  }

  /** A layer's keys and values of the source. */
  StateSlot ofSource(int keyColumns, int valueColumns, int layer) {
    return slot(find(keyColumns, valueColumns, 0, true), layer);
  }

  private int find(int keyColumns, int valueColumns, int window, boolean isOfSource) {
    for (int i = 0; i < groups.size(); i++) {
      StateGroup group = groups.get(i);
      if (group.keyColumns() == keyColumns
          && group.valueColumns() == valueColumns
          && group.window() == window
          && group.isOfSource() == isOfSource) {
        return i;
      }
    }
    groups.add(new StateGroup(1, keyColumns, valueColumns, keyType, valueType, window, isOfSource));
    return groups.size() - 1;
  }

  private StateSlot slot(int group, int layer) {
    StateGroup found = groups.get(group);
    groups.set(group, found.withLayers(Math.max(found.layers(), layer + 1)));
    return new StateSlot(group, layer);
  }
}
