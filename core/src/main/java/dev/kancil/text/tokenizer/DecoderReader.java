package dev.kancil.text.tokenizer;

import dev.kancil.UnsupportedException;
import dev.kancil.text.tokenizer.PieceDecoders.EachPiece;

/** Reads the {@code decoder} of a tokenizer.json. */
final class DecoderReader {
  private DecoderReader() {}

  static TokenDecoder read(JsonFields json) {
    String type = json.requiredText("type");
    return switch (type) {
      case "ByteLevel" -> new PieceDecoders.Bytes();
      case "WordPiece" ->
          PieceDecoders.wordPiece(json.text("prefix").orElse("##"), json.bool("cleanup", true));
      case "Metaspace" ->
          PieceDecoders.metaspace(
              json.character("replacement", "▁"),
              SplitterReader.prepend(json) != MetaspaceSplitter.Prepend.NEVER);
      case "BPEDecoder" -> new PieceDecoders.WordEnds(json.text("suffix").orElse("</w>"));
      case "ByteFallback" -> new PieceDecoders.ByteFallback();
      case "Fuse" -> new TokenDecoder.Fuse();
      case "Strip" ->
          new PieceDecoders.Strip(
              json.character("content", " "),
              json.integer("start", 0, Integer.MAX_VALUE, 0),
              json.integer("stop", 0, Integer.MAX_VALUE, 0));
      case "Replace" -> {
        Replacement replacement = NormalizationReader.replacement(json);
        yield EachPiece.of(replacement::replace);
      }
      case "CTC" ->
          new PieceDecoders.Ctc(
              json.text("pad_token").orElse("<pad>"),
              json.text("word_delimiter_token").orElse("|"),
              json.bool("cleanup", true));
      case "Sequence" -> {
        var steps = json.steps("decoders").stream().map(DecoderReader::read).toList();
        yield steps.size() == 1 ? steps.getFirst() : TokenDecoder.Sequence.of(steps);
      }
      default ->
          throw new UnsupportedException(
              json.place("type") + ": the decoder " + MergeTable.shown(type) + " is not known");
    };
  }
}
