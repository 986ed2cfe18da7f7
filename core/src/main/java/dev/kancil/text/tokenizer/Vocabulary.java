package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;

/** The tokens of a model: their texts as stored, and of what kind each is. */
final class Vocabulary {
  static final int NORMAL = 1;
  static final int UNKNOWN = 1 << 1;
  static final int CONTROL = 1 << 2;
  static final int USER_DEFINED = 1 << 3;
  static final int UNUSED = 1 << 4;
  static final int BYTE = 1 << 5;

  /** By GGUF's number for a token's type; 0 is an undefined type. */
  private static final int[] KINDS = {0, NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE};

  private final String file;
  private final String[] texts;
  private final byte[] kinds;
  private final TokenIndex index;

  /**
   * @param file what errors call the file
   * @param texts by id; an empty one is no token
   * @param kinds by id
   */
  Vocabulary(String file, String[] texts, byte[] kinds) {
    this.file = file;
    this.texts = texts;
    this.kinds = kinds;
    this.index = TokenIndex.of(file, texts);
  }

  private Vocabulary(Vocabulary other, byte[] kinds) {
    this.file = other.file;
    this.texts = other.texts;
    this.kinds = kinds;
    this.index = other.index;
  }

  /** The same tokens, of other kinds. */
  Vocabulary withKinds(byte[] others) {
    return new Vocabulary(this, others);
  }

  static Vocabulary read(GgufMetadata metadata) {
    String file = metadata.file();
    String[] texts = metadata.strings("tokenizer.ggml.tokens").toArray(String[]::new);
    if (texts.length == 0) {
      throw new FormatException(file + ": it has no tokenizer.ggml.tokens");
    }
    byte[] kinds = new byte[texts.length];
    long[] types = metadata.integers("tokenizer.ggml.token_type");
    boolean typed = metadata.contains("tokenizer.ggml.token_type");
    if (typed && types.length != texts.length) {
      throw new FormatException(
          file + ": there are " + texts.length + " tokens but " + types.length + " token types");
    }
    for (int id = 0; id < kinds.length; id++) {
      long type = typed ? types[id] : 1;
      if (type < 0 || type >= KINDS.length) {
        throw new FormatException(file + ": the token " + id + " is of the unknown type " + type);
      }
      kinds[id] = (byte) KINDS[(int) type];
    }
    return new Vocabulary(file, texts, kinds);
  }

  String file() {
    return file;
  }

  int size() {
    return texts.length;
  }

  String text(int id) {
    return texts[id];
  }

  TokenIndex index() {
    return index;
  }

  /** The token with this text, or -1. */
  int find(String text) {
    return index.find(text);
  }

  /** All kinds of a token. */
  int kind(int id) {
    return kinds[id];
  }

  /** Whether a token is of any of these kinds. */
  boolean is(int id, int anyOf) {
    return (kinds[id] & anyOf) != 0;
  }

  /** Only while a tokenizer is being made: it adds a kind to those that a token has. */
  void addKind(int id, int kind) {
    kinds[id] |= (byte) kind;
  }

  /** Only while a tokenizer is being made. */
  void setKind(int id, int kind) {
    kinds[id] = (byte) kind;
  }

  /** The byte that a text of the form {@code <0x0A>} stands for, or -1. */
  static int byteOf(String text) {
    if (text.length() != 6 || !text.startsWith("<0x") || text.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(text.charAt(3), 16);
    int low = Character.digit(text.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }
}
