package dev.kancil;

import java.util.List;

/**
 * Looks for stop strings in text that comes in pieces, and holds back what may be the beginning of
 * one.
 */
final class StopStrings {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopStrings(List<String> stops) {
    this.stops = stops;
  }

  /** Whether a stop string has appeared. */
  boolean found() {
    return found;
  }

  /** Takes a piece and returns what can be shown: all before a stop string, if there is one. */
  String accept(String piece) {
    if (found || stops.isEmpty()) {
      return found ? "" : piece;
    }
    held.append(piece);
    int first = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      first = at < 0 ? first : Math.min(first, at);
    }
    found = first < Integer.MAX_VALUE;
    return release(found ? first : held.length() - longestBeginning());
  }

  /** What is still held back when nothing follows. */
  String finish() {
    return found ? "" : release(held.length());
  }

  private String release(int length) {
    String shown = held.substring(0, length);
    held.delete(0, length);
    return shown;
  }

  /** The length of the longest end of the text that a stop string begins with. */
  private int longestBeginning() {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
        if (stop.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
