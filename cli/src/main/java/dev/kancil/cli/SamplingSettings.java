package dev.kancil.cli;

import dev.kancil.GenerationOptions;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** How much is generated, and how tokens are chosen. */
final class SamplingSettings {
  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      defaultValue = "512",
      description = "The most tokens to generate. Default: ${DEFAULT-VALUE}.")
  int maxTokens = 512;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0.8",
      description =
          "0: always the likeliest token; 1: as the model says. Default: ${DEFAULT-VALUE}.")
  float temperature = 0.8f;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      defaultValue = "0",
      description = "Choose among the N likeliest. Default: 0, all.")
  int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Choose among the likeliest that make up this share. Default: 1, all.")
  float topP = 1;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0.05",
      description =
          "Leave out what is less likely than this share of the likeliest. Default: ${DEFAULT-VALUE}.")
  float minP = 0.05f;

  @Option(
      names = "--repeat-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "Makes tokens of the prompt and the text so far less likely. Default: 1, not.")
  float repetitionPenalty = 1;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Lowers the logits of tokens in the text so far. Default: 0.")
  float presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "Lowers them for each time that they appear. Default: 0.")
  float frequencyPenalty;

  @Option(
      names = "--logit-bias",
      paramLabel = "ID=X",
      description = "Adds X to the logit of a token. Can be repeated.")
  Map<Integer, Float> logitBias = Map.of();

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends the text where this appears. Can be repeated.")
  List<String> stop = List.of();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "For the same choices again. Default: another one each time.")
  Long seed = System.nanoTime();

  GenerationOptions options() {
    GenerationOptions.Builder builder =
        GenerationOptions.builder()
            .maxTokens(maxTokens)
            .temperature(temperature)
            .topK(topK)
            .topP(topP)
            .minP(minP)
            .repetitionPenalty(repetitionPenalty)
            .presencePenalty(presencePenalty)
            .frequencyPenalty(frequencyPenalty)
            .stop(stop.toArray(String[]::new))
            .seed(seed);
    logitBias.forEach(builder::logitBias);
    return builder.build();
  }
}
