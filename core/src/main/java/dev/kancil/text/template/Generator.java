package dev.kancil.text.template;

import java.util.List;

/**
 * What filters such as {@code map} and {@code selectattr} return: it can be walked once, and
 * neither measured nor written as JSON.
 */
final class Generator {
  private List<Object> remaining;

  Generator(List<Object> elements) {
    remaining = elements;
  }

  List<Object> drain() {
    List<Object> elements = remaining;
    remaining = List.of();
    return elements;
  }
}
