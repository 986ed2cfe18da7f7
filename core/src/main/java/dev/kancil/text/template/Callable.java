package dev.kancil.text.template;

/** What a template can call. */
interface Callable {
  Object call(Evaluation evaluation, Arguments arguments);

  /** Python's name of the type, for messages. */
  String typeName();
}
