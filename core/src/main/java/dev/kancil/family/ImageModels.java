package dev.kancil.family;

import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.util.Optional;

/** Turns declared models of images into graphs of primitives, each part with a state of its own. */
final class ImageModels {
  private final Weights weights;
  private final DataType keyType;
  private final DataType valueType;

  ImageModels(Weights weights, DataType keyType, DataType valueType) {
    this.weights = weights;
    this.keyType = keyType;
    this.valueType = valueType;
  }

  LoadedModel encoder(ImageEncoder images) {
    return new LoadedModel.OfImageEncoder(
        load(images.encoder(), weights, "hidden", Encoder.ROWS), images.grid());
  }

  LoadedModel autoencoder(MaskedAutoencoder masked) {
    return new LoadedModel.OfMaskedAutoencoder(
        load(masked.encoder(), weights, "encoder", MaskedAutoencoder.ROWS),
        masked.grid(),
        masked.kept(),
        masked
            .decoder()
            .map(
                decoder ->
                    new LoadedModel.MaskedDecoder(
                        load(
                            decoder.rows(),
                            weights.under(decoder.names()),
                            "decoder",
                            "decoder_output"),
                        decoder.isTargetNormed())));
  }

  LoadedModel contrastive(ContrastiveEncoders both) {
    if (both.images().isEmpty()) {
      return new LoadedModel.OfContrastive(
          load(both.text(), weights, "hidden", Encoder.ROWS), both.end(), Optional.empty(), 1);
    }
    ContrastiveEncoders.Images images = both.images().get();
    return new LoadedModel.OfContrastive(
        load(both.text(), weights, "text.hidden", "text." + Encoder.ROWS),
        both.end(),
        Optional.of(
            new LoadedModel.OfImageEncoder(
                load(
                    images.encoder().encoder(),
                    weights.under(images.names()),
                    "vision.hidden",
                    "vision." + Encoder.ROWS),
                images.encoder().grid())),
        scale());
  }

  private LoadedModel.OfEncoder load(Encoder encoder, Weights of, String stem, String output) {
    return new EncoderGraph(encoder, of, new StateGroups(keyType, valueType))
        .load(stem, output, encoder.embeddings().positions());
  }

  /** What logits are multiplied by: checkpoints have its logarithm. */
  private float scale() {
    Weight logarithm = weights.weight(WeightName.LOGIT_SCALE, 0, 1);
    return weights.has(WeightName.LOGIT_SCALE)
        ? (float) Math.exp(Blocks.decode(weights.tensor(logarithm))[0])
        : 1;
  }
}
