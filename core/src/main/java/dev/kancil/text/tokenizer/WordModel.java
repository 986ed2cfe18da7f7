package dev.kancil.text.tokenizer;

/** Gives words their ids. Used by any number of threads at once. */
interface WordModel {
  /** What appends the ids of the words that it takes; used by one thread. */
  Splitter.Words encoder(IdBuffer ids);
}
