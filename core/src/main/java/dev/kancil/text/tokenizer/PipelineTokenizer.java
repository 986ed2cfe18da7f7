package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A tokenizer of the parts that Hugging Face's library knows: added tokens are found, what lies
 * between them is normalised and cut into words, a model gives words their ids, a template puts
 * tokens around them, and a decoder makes text of ids.
 */
final class PipelineTokenizer extends Tokenizer {
  /**
   * What such a tokenizer is made of.
   *
   * @param normalizedTokens the added tokens that are found in normalised text
   * @param decodedTexts the texts of added tokens for the decoder, where they are not as stored
   */
  record Parts(
      Vocabulary vocabulary,
      TokenRoles roles,
      SpecialTokens tokens,
      SpecialTokens normalizedTokens,
      Normalization normalization,
      Splitter splitter,
      WordModel model,
      PostProcessing postProcessing,
      TokenDecoder decoder,
      Map<Integer, String> decodedTexts) {
    Parts withTokens(Vocabulary otherVocabulary, SpecialTokens otherTokens) {
      return new Parts(
          otherVocabulary,
          roles,
          otherTokens,
          normalizedTokens,
          normalization,
          splitter,
          model,
          postProcessing,
          decoder,
          decodedTexts);
    }

    Parts with(TokenRoles otherRoles, PostProcessing otherProcessing) {
      return new Parts(
          vocabulary,
          otherRoles,
          tokens,
          normalizedTokens,
          normalization,
          splitter,
          model,
          otherProcessing,
          decoder,
          decodedTexts);
    }
  }

  private final Parts parts;
  private final Splitter afterStart;

  PipelineTokenizer(Parts parts) {
    super(parts.vocabulary(), parts.roles(), parts.tokens());
    this.parts = parts;
    this.afterStart = parts.splitter().afterStart();
  }

  Parts parts() {
    return parts;
  }

  @Override
  EncodingPass pass(IdBuffer ids, boolean controlTokens) {
    return new Pass(ids, controlTokens);
  }

  @Override
  Decoding decoding(boolean atStart) {
    return parts.decoder() instanceof PieceDecoders.Bytes
        ? new ByteDecoding(this, false)
        : new PieceDecoding(atStart);
  }

  @Override
  byte[] textBytes(int id) {
    String text = decodedText(id);
    if (parts.decoder() instanceof PieceDecoders.Bytes) {
      return PieceDecoders.Bytes.bytes(text);
    }
    StringBuilder decoded = new StringBuilder();
    TokenDecoder.Step step = parts.decoder().begin(decoded::append, false);
    step.piece(text);
    step.end();
    int value = Vocabulary.byteOf(text);
    return value >= 0 && !decoded.toString().equals(text)
        ? new byte[] {(byte) value}
        : decoded.toString().getBytes(StandardCharsets.UTF_8);
  }

  private String decodedText(int id) {
    return parts.decodedTexts().getOrDefault(id, vocabulary().text(id));
  }

  @Override
  void addBeginning(IdBuffer ids) {
    ids.addAll(parts.postProcessing().before());
  }

  @Override
  void addEnd(IdBuffer ids) {
    ids.addAll(parts.postProcessing().after());
  }

  @Override
  void addPairBeginning(IdBuffer ids) {
    ids.addAll(parts.postProcessing().pair().before());
  }

  @Override
  void addBetween(IdBuffer ids) {
    ids.addAll(parts.postProcessing().pair().between());
  }

  @Override
  void addPairEnd(IdBuffer ids) {
    ids.addAll(parts.postProcessing().pair().after());
  }

  /** Takes the parts of a text between the tokens that are found in it as it is. */
  private final class Pass extends EncodingPass {
    private final boolean controlTokens;
    private final Splitter.Words words;

    Pass(IdBuffer ids, boolean controlTokens) {
      super(ids);
      this.controlTokens = controlTokens;
      this.words = parts.model().encoder(ids);
    }

    @Override
    void text(byte[] text, int from, int to) {
      if (parts.normalization().equals(Normalization.NONE)) {
        normalized(text, from, to, from == 0);
        return;
      }
      var before =
          new Normalization.Text(
              new String(text, from, to - from, StandardCharsets.UTF_8), from == 0);
      Normalization.Text after = parts.normalization().apply(before);
      if (after.equals(before)) {
        normalized(text, from, to, from == 0);
      } else {
        byte[] changed = after.text().getBytes(StandardCharsets.UTF_8);
        normalized(changed, 0, changed.length, after.atStart());
      }
    }

    private void normalized(byte[] text, int from, int to, boolean atStart) {
      if (parts.normalizedTokens().isEmpty()) {
        split(text, from, to, atStart);
        return;
      }
      parts
          .normalizedTokens()
          .split(
              text,
              from,
              to,
              controlTokens,
              new EncodingPass(ids) {
                @Override
                void text(byte[] part, int partFrom, int partTo) {
                  split(part, partFrom, partTo, atStart && partFrom == from);
                }
              });
    }

    private void split(byte[] text, int from, int to, boolean atStart) {
      if (to > from) {
        (atStart ? parts.splitter() : afterStart).split(text, from, to, words);
      }
    }
  }

  /** Tokens are texts, which a decoder joins. */
  private final class PieceDecoding implements Decoding {
    private final StringBuilder pending = new StringBuilder();
    private final TokenDecoder.Step step;

    PieceDecoding(boolean atStart) {
      step = parts.decoder().begin(pending::append, atStart);
    }

    @Override
    public void next(int id, StringBuilder text) {
      String piece = decodedText(id);
      if (!isSpecial(id) && !piece.isEmpty()) {
        step.piece(piece);
        move(text);
      }
    }

    @Override
    public void end(StringBuilder text) {
      step.end();
      move(text);
    }

    private void move(StringBuilder text) {
      text.append(pending);
      pending.setLength(0);
    }
  }
}
