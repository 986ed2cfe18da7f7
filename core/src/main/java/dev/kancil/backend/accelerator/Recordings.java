package dev.kancil.backend.accelerator;

import dev.kancil.backend.accelerator.DeviceMemory.Recording;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A program's work for steps of few rows, recorded once such a step comes for the second time:
 * where the device records, it is then enqueued as one. Grids depend on the numbers of rows alone,
 * and all else that changes lies in the device's memory.
 */
final class Recordings implements AutoCloseable {
  /** Steps of more rows take longer than their launches. */
  private static final int MOST_TOKENS = 64;

  /** Numbers of rows that are remembered; beyond, all are forgotten. */
  private static final int MOST_RECORDINGS = 64;

  private final DeviceMemory memory;
  private final Map<Integer, Slot> slots = new HashMap<>();
  private boolean isUseless;

  private static final class Slot {
    boolean wasRun;
    @Nullable Recording recording;
  }

  Recordings(DeviceMemory memory, boolean isAllowed) {
    this.memory = memory;
    isUseless = !isAllowed;
  }

  /**
   * Enqueues the work of a step of so many rows.
   *
   * @param isFed whether it begins with tokens that the step before chose
   */
  void enqueue(int tokens, int outputs, boolean isFed, Runnable work) {
    if (isUseless || tokens > MOST_TOKENS) {
      work.run();
      return;
    }
    if (slots.size() > MOST_RECORDINGS) {
      clear();
    }
    int key = tokens << 16 | outputs << 1 | (isFed ? 1 : 0);
    Slot slot = slots.computeIfAbsent(key, _ -> new Slot());
    if (slot.recording == null && slot.wasRun) {
      slot.recording = memory.record(work);
      isUseless = slot.recording == null;
    }
    if (slot.recording == null) {
      slot.wasRun = true;
      work.run();
    } else {
      slot.recording.enqueue();
    }
  }

  /** Forgets all, since arguments are to change. */
  void clear() {
    slots.values().stream()
        .map(slot -> slot.recording)
        .filter(recording -> recording != null)
        .forEach(Recording::close);
    slots.clear();
  }

  @Override
  public void close() {
    clear();
  }
}
