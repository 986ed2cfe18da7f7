package dev.kancil.text.tokenizer;

/**
 * WordPiece as Hugging Face's library has it: each word is covered by the longest pieces from the
 * left; a word that can't be, or is too long, is unknown as a whole (Devlin et al. 2019).
 */
final class WordPieces implements WordModel {
  private final ByteTrie pieces;
  private final int unknown;
  private final int longest;
  private final int within;

  /**
   * @param prefix what begins pieces within words
   * @param longest the most characters of a word
   */
  WordPieces(ByteTrie pieces, int unknown, String prefix, int longest) {
    this.pieces = pieces;
    this.unknown = unknown;
    this.longest = longest;
    int node = 0;
    for (byte value : Utf8.encode(prefix)) {
      node = node < 0 ? node : pieces.child(node, value);
      node = node == 0 ? -1 : node;
    }
    within = node;
  }

  @Override
  public Splitter.Words encoder(IdBuffer ids) {
    return (text, from, to) -> word(text, from, to, ids);
  }

  private void word(byte[] text, int from, int to, IdBuffer ids) {
    int before = ids.size();
    boolean known = !isTooLong(text, from, to);
    for (int at = from; known && at < to; ) {
      int node = at == from ? 0 : within;
      int id = -1;
      int end = at;
      for (int next = at; node >= 0 && next < to; ) {
        node = pieces.child(node, text[next++]);
        if (node == 0) {
          break;
        }
        if (pieces.token(node) >= 0) {
          id = pieces.token(node);
          end = next;
        }
      }
      known = id >= 0;
      if (known) {
        ids.add(id);
        at = end;
      }
    }
    if (!known) {
      ids.truncate(before);
      ids.add(unknown);
    }
  }

  private boolean isTooLong(byte[] text, int from, int to) {
    if (to - from <= longest) {
      return false;
    }
    int count = 0;
    for (int at = from; at < to; at += Utf8.length(text[at])) {
      count++;
    }
    return count > longest;
  }
}
