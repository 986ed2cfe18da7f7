package dev.kancil.text.template;

/**
 * What a name, attribute or element that isn't there evaluates to: it prints as nothing and is
 * false, and any other use of it fails. It is often made and rarely used, so the message waits.
 *
 * @param owner what it was looked for in; None for a name or a reason
 * @param key what was looked for, or the reason
 */
record Undefined(Kind kind, Object owner, Object key) {
  enum Kind {
    NAME,
    MEMBER,
    UNSAFE,
    REASON
  }

  Undefined(String reason) {
    this(Kind.REASON, None.NONE, reason);
  }

  static Undefined name(String name) {
    return new Undefined(Kind.NAME, None.NONE, name);
  }

  /** An attribute or element of a value. */
  static Undefined member(Object owner, Object key) {
    return new Undefined(Kind.MEMBER, owner, key);
  }

  /** A method of Python's that a sandboxed template may name but not use. */
  static Undefined unsafe(Object owner, String name) {
    return new Undefined(Kind.UNSAFE, owner, name);
  }

  EvaluationError fail() {
    String name = Values.shortened(String.valueOf(key));
    return new EvaluationError(
        switch (kind) {
          case NAME -> "'" + name + "' is undefined";
          case MEMBER -> {
            String object = owner == None.NONE ? "None" : Values.typeName(owner) + " object";
            yield key instanceof String
                ? "'" + object + "' has no attribute '" + name + "'"
                : object + " has no element " + (key instanceof Long ? name : Values.typeName(key));
          }
          case UNSAFE ->
              "access to attribute '"
                  + name
                  + "' of '"
                  + Values.typeName(owner)
                  + "' object is unsafe.";
          case REASON -> name;
        });
  }
}
