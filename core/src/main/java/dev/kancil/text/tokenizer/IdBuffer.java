package dev.kancil.text.tokenizer;

import java.util.Arrays;

/** A growing list of token ids. */
final class IdBuffer {
  private int[] ids;
  private int size;

  IdBuffer(int capacity) {
    ids = new int[capacity];
  }

  void add(int id) {
    if (size == ids.length) {
      grow(1);
    }
    ids[size++] = id;
  }

  void addAll(int[] more) {
    if (more.length > ids.length - size) {
      grow(more.length);
    }
    for (int id : more) {
      ids[size++] = id;
    }
  }

  int size() {
    return size;
  }

  void truncate(int newSize) {
    size = newSize;
  }

  int[] toArray() {
    return Arrays.copyOf(ids, size);
  }

  int[] copyFrom(int from) {
    return Arrays.copyOfRange(ids, from, size);
  }

  private void grow(int needed) {
    ids =
        Arrays.copyOf(
            ids, Math.max(Math.addExact(size, needed), ids.length + (ids.length >> 1) + 8));
  }
}
