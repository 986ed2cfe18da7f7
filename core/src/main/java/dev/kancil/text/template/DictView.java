package dev.kancil.text.template;

import java.util.List;

/**
 * What {@code dict.items()}, {@code keys()} and {@code values()} return: iterable, but no list.
 *
 * @param kind Python's name of the type
 */
record DictView(String kind, List<Object> elements) {}
