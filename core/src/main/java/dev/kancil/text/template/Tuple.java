package dev.kancil.text.template;

import java.util.List;

/** Python's tuple: a list by another name, which prints and compares as its own kind. */
record Tuple(List<Object> elements) {}
