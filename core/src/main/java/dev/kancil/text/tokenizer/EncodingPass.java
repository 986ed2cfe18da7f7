package dev.kancil.text.tokenizer;

/** One text on its way to ids: takes its pieces in order. Used by one thread, once. */
abstract class EncodingPass {
  final IdBuffer ids;

  EncodingPass(IdBuffer ids) {
    this.ids = ids;
  }

  /** Encodes a part of well-formed UTF-8. */
  abstract void text(byte[] text, int from, int to);

  /** Takes a token that was recognised as such. */
  void token(int id) {
    ids.add(id);
  }
}
