package dev.kancil.text.template;

import java.util.Map;

/** {@code namespace(…)}: the only object whose attributes a template can set. */
record Namespace(Map<Object, Object> attributes) {}
