package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * Words are tokens, or unknown.
 *
 * @param unknown what stands for a word that is none
 */
record WholeWords(Vocabulary vocabulary, int unknown) implements WordModel {
  @Override
  public Splitter.Words encoder(IdBuffer ids) {
    return (text, from, to) -> {
      int id =
          to - from > 4L * vocabulary.index().longest()
              ? -1
              : vocabulary.find(new String(text, from, to - from, StandardCharsets.UTF_8));
      ids.add(id < 0 ? unknown : id);
    };
  }
}
