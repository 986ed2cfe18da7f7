package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which tokens begin, separate and end texts. Few files say all of it, so tokens are also known by
 * their usual names, and those of such a name count as control tokens whatever the file says; this
 * follows llama.cpp.
 *
 * @param endOfGeneration all ids after which a model has nothing more to say
 */
record TokenRoles(
    OptionalInt beginning,
    OptionalInt end,
    OptionalInt unknown,
    OptionalInt separator,
    boolean addsBeginning,
    boolean addsEnd,
    Set<Integer> endOfGeneration) {
  private static final List<String> END_OF_TURN =
      List.of(
          "<|eot_id|>",
          "<|im_end|>",
          "<|end|>",
          "<end_of_turn>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<EOT>",
          "_<EOT>",
          "[EOT]",
          "<｜end▁of▁sentence｜>",
          "<end_of_utterance>");
  private static final List<String> END_OF_MESSAGE = List.of("<|eom_id|>");
  private static final List<String> OTHER_ENDS =
      List.of(
          "<|return|>",
          "<|call|>",
          "<|flush|>",
          "<|calls|>",
          "</s>",
          "[EOS]",
          "<eos>",
          "<turn|>",
          "<|tool_response>",
          "[e~[");

  /**
   * A part of a fill-in-the-middle prompt.
   *
   * @param ends whether it also ends a generation
   */
  private record Fill(boolean ends, List<String> keys, List<String> names) {}

  private static final List<Fill> FILLS =
      List.of(
          new Fill(
              false,
              List.of("fim_pre_token_id", "prefix_token_id"),
              List.of(
                  "<|fim_prefix|>",
                  "<fim-prefix>",
                  "<fim_prefix>",
                  "<｜fim▁begin｜>",
                  "<PRE>",
                  "▁<PRE>",
                  "<|code_prefix|>",
                  "<|prefix|>")),
          new Fill(
              false,
              List.of("fim_suf_token_id", "suffix_token_id"),
              List.of(
                  "<|fim_suffix|>",
                  "<fim-suffix>",
                  "<fim_suffix>",
                  "<｜fim▁hole｜>",
                  "<SUF>",
                  "▁<SUF>",
                  "<|code_suffix|>",
                  "<|suffix|>")),
          new Fill(
              false,
              List.of("fim_mid_token_id", "middle_token_id"),
              List.of(
                  "<|fim_middle|>",
                  "<fim-middle>",
                  "<fim_middle>",
                  "<｜fim▁end｜>",
                  "<MID>",
                  "▁<MID>",
                  "<|code_middle|>",
                  "<|middle|>")),
          new Fill(
              true,
              List.of("fim_pad_token_id"),
              List.of("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]")),
          new Fill(
              true,
              List.of("fim_rep_token_id"),
              List.of("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>")),
          new Fill(true, List.of("fim_sep_token_id"), List.of("<|file_sep|>")));

  /** What holds where the file says nothing. */
  record Defaults(int beginning, int end, int unknown, int separator, boolean addsBeginning) {
    /** No token has a role unless the file gives it one. */
    static Defaults none(boolean addsBeginning) {
      return new Defaults(-1, -1, -1, -1, addsBeginning);
    }
  }

  /** Reads the roles, and marks tokens of well-known names as control tokens. */
  static TokenRoles read(GgufMetadata metadata, Vocabulary vocabulary, Defaults defaults) {
    OptionalInt beginning = id(metadata, vocabulary, "bos_token_id", defaults.beginning());
    OptionalInt end = id(metadata, vocabulary, "eos_token_id", defaults.end());
    OptionalInt unknown = id(metadata, vocabulary, "unknown_token_id", defaults.unknown());
    OptionalInt separator = id(metadata, vocabulary, "seperator_token_id", defaults.separator());
    OptionalInt endOfTurn = id(metadata, vocabulary, "eot_token_id", -1);
    OptionalInt endOfMessage = id(metadata, vocabulary, "eom_token_id", -1);
    Set<Integer> ends = new TreeSet<>();
    addNamed(vocabulary, endOfTurn, END_OF_TURN).ifPresent(ends::add);
    addNamed(vocabulary, endOfMessage, END_OF_MESSAGE).ifPresent(ends::add);
    end.ifPresent(ends::add);
    for (Fill fill : FILLS) {
      OptionalInt given = OptionalInt.empty();
      for (String key : fill.keys) {
        OptionalInt id = id(metadata, vocabulary, key, -1);
        given = id.isPresent() ? id : given;
      }
      OptionalInt id = addNamed(vocabulary, given, fill.names);
      if (fill.ends()) {
        id.ifPresent(ends::add);
      }
    }
    for (List<String> names : List.of(END_OF_TURN, END_OF_MESSAGE, OTHER_ENDS)) {
      for (String name : names) {
        int id = vocabulary.find(name);
        if (id >= 0) {
          vocabulary.addKind(id, Vocabulary.CONTROL);
          ends.add(id);
        }
      }
    }
    exceptChannels(vocabulary, ends);
    return new TokenRoles(
        beginning,
        end,
        unknown,
        separator,
        metadata.bool("tokenizer.ggml.add_bos_token").orElse(defaults.addsBeginning()),
        metadata.bool("tokenizer.ggml.add_eos_token").orElse(false),
        Set.copyOf(ends));
  }

  /**
   * The roles that the files of a folder give; the tokens after which generation ends are the given
   * ones and the control tokens of the usual names.
   */
  static TokenRoles of(
      Vocabulary vocabulary,
      OptionalInt beginning,
      OptionalInt end,
      PostProcessing processing,
      Set<Integer> given) {
    Set<Integer> ends = new TreeSet<>(given);
    end.ifPresent(ends::add);
    for (List<String> names : List.of(END_OF_TURN, END_OF_MESSAGE, OTHER_ENDS)) {
      for (String name : names) {
        int id = vocabulary.find(name);
        if (id >= 0 && vocabulary.is(id, Vocabulary.CONTROL)) {
          ends.add(id);
        }
      }
    }
    exceptChannels(vocabulary, ends);
    int[] before = processing.before();
    int[] after = processing.after();
    return new TokenRoles(
        beginning,
        end,
        OptionalInt.empty(),
        OptionalInt.empty(),
        beginning.isPresent() && before.length > 0 && before[0] == beginning.getAsInt(),
        end.isPresent() && after.length > 0 && after[after.length - 1] == end.getAsInt(),
        Set.copyOf(ends));
  }

  private static OptionalInt id(
      GgufMetadata metadata, Vocabulary vocabulary, String name, int orElse) {
    String key = "tokenizer.ggml." + name;
    long id = metadata.integer(key).orElse(-1L);
    if (!metadata.contains(key)) {
      return orElse >= 0 && orElse < vocabulary.size()
          ? OptionalInt.of(orElse)
          : OptionalInt.empty();
    }
    if (id < 0 || id >= vocabulary.size()) {
      throw new FormatException(
          metadata.file()
              + ": "
              + key
              + " is "
              + id
              + ", but there are only "
              + vocabulary.size()
              + " tokens");
    }
    return OptionalInt.of((int) id);
  }

  /** The given token or else the first with one of the names, then marked as a control token. */
  private static OptionalInt addNamed(
      Vocabulary vocabulary, OptionalInt given, List<String> names) {
    if (given.isPresent()) {
      return given;
    }
    for (String name : names) {
      int id = vocabulary.find(name);
      if (id >= 0) {
        vocabulary.addKind(id, Vocabulary.CONTROL);
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }

  /**
   * In gpt-oss and its like a message's parts are visible text and its end is not the end of the
   * turn; in Gemma 4 and PLaMo {@code </s>} is plain text.
   */
  private static void exceptChannels(Vocabulary vocabulary, Set<Integer> ends) {
    for (String name : List.of("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>")) {
      int id = vocabulary.find(name);
      if (id >= 0) {
        vocabulary.setKind(id, Vocabulary.USER_DEFINED);
      }
    }
    boolean call = ends(vocabulary, ends, "<|call|>") || ends(vocabulary, ends, "<|calls|>");
    boolean message = ends(vocabulary, ends, "<|return|>") || ends(vocabulary, ends, "<|flush|>");
    if (call && message && ends(vocabulary, ends, "<|end|>")) {
      int id = vocabulary.find("<|end|>");
      ends.remove(id);
      vocabulary.setKind(id, Vocabulary.USER_DEFINED);
    }
    boolean plain =
        ends(vocabulary, ends, "<|tool_response>") || ends(vocabulary, ends, "<|plamo:eos|>");
    if (plain && ends(vocabulary, ends, "</s>")) {
      int id = vocabulary.find("</s>");
      ends.remove(id);
      vocabulary.setKind(id, Vocabulary.NORMAL);
    }
  }

  private static boolean ends(Vocabulary vocabulary, Set<Integer> ends, String name) {
    int id = vocabulary.find(name);
    return id >= 0 && ends.contains(id);
  }
}
