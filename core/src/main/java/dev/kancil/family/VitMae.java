package dev.kancil.family;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Masked autoencoders of images (He et al. 2021), with or without their decoder. */
final class VitMae implements Family {
  private static final String DECODER = "decoder.";
  private static final int MOST_LAYERS = 4096;

  @Override
  public List<String> architectures() {
    return List.of("vit_mae");
  }

  @Override
  public MaskedAutoencoder transformer(Hyperparameters settings) {
    ImageGrid grid = ImageGrid.of(settings);
    double masked = settings.number("mask_ratio").orElse(0.75);
    if (!(masked >= 0 && masked <= 1)) {
      throw settings.invalid("mask_ratio", "is " + masked);
    }
    return new MaskedAutoencoder(
        Vit.encoder(settings, grid),
        grid,
        (int) (grid.patches() * (1 - masked)),
        settings.hasTensor(DECODER + "mask_token")
            ? Optional.of(decoder(settings, grid))
            : Optional.empty());
  }

  private static MaskedAutoencoder.Part decoder(Hyperparameters settings, ImageGrid grid) {
    int width = settings.required("decoder_hidden_size");
    int heads = settings.required("decoder_num_attention_heads");
    int feedForward = settings.required("decoder_intermediate_size");
    int blocks = settings.optional("decoder_num_hidden_layers", MOST_LAYERS).orElseThrow();
    if (width % heads != 0) {
      throw settings.invalid("decoder_num_attention_heads", "does not divide decoder_hidden_size");
    }
    Heads ofBlock = new Heads(heads, heads, width / heads, width / heads);
    Encoder rows =
        Encoder.of(
                Vit.embeddings(width, grid.patches() + 1, Norm.NONE, settings.width()),
                IntStream.range(0, blocks)
                    .mapToObj(_ -> Vit.block(settings, ofBlock, feedForward))
                    .toList(),
                Norm.layer(settings.layerNormEpsilon()))
            .withRowHeads(
                List.of(
                    Head.of(
                        MaskedAutoencoder.LOGITS,
                        new Head.Linear(WeightName.PROJECTION, grid.features(), true))));
    // Transformers 5 writes other names than it reads.
    String ofBlocks =
        settings.hasTensor(DECODER + "decoder_encoder.layer.0.layernorm_before.weight")
            ? "decoder_encoder.layer.{}."
            : "decoder_layers.{}.";
    WeightNames names =
        Vit.layerNames(DECODER, DECODER + ofBlocks)
            .with(
                WeightName.TOKEN_EMBEDDING,
                WeightPlace.stacked(
                    WeightPlace.named(DECODER + "decoder_embed.bias"),
                    WeightPlace.named(DECODER + "mask_token")))
            .with(WeightName.FEATURES, DECODER + "decoder_embed.weight")
            .with(WeightName.POSITION_EMBEDDING, DECODER + "decoder_pos_embed")
            .with(WeightName.FINAL_NORM, DECODER + "decoder_norm.weight")
            .with(WeightName.PROJECTION, DECODER + "decoder_pred.weight");
    return new MaskedAutoencoder.Part(rows, names, settings.flag("norm_pix_loss", false));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return Vit.encoderNames(settings);
  }
}
