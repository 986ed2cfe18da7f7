package dev.kancil.text.template;

/** Python's {@code None}: the null of the outside, kept apart from Java's so that none leaks. */
enum None {
  NONE
}
