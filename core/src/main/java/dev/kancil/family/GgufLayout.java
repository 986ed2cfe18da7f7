package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A decoder's checkpoint as a GGUF file has it: settings and tensors under the names there.
 *
 * <p>A family declares where either format keeps each weight, and both declarations are used here:
 * weights are found by the one and placed by the other. That settings say the same in both formats
 * is checked by reading them back: the decoder that they declare must be the one that there was.
 *
 * @param architecture {@code general.architecture}
 * @param settings metadata under the architecture's name
 */
public record GgufLayout(
    String architecture, SequencedMap<String, GgufValue> settings, List<Placed> tensors) {
  private static final Logger LOG = LoggerFactory.getLogger(GgufLayout.class);

  /** Architectures that GGUF knows, by what configurations call them. */
  private static final Map<String, String> RENAMED =
      Map.ofEntries(
          Map.entry("mistral", "llama"),
          Map.entry("mixtral", "llama"),
          Map.entry("qwen2_moe", "qwen2moe"),
          Map.entry("qwen3_moe", "qwen3moe"),
          Map.entry("granitemoeshared", "granitemoe"),
          Map.entry("gemma3_text", "gemma3"),
          Map.entry("gpt_neox", "gptneox"),
          Map.entry("gpt_oss", "gpt-oss"),
          Map.entry("phi", "phi2"),
          Map.entry("cohere", "command-r"),
          Map.entry("glm", "chatglm"));

  /** Those that have the same name in both. */
  private static final Set<String> SAME =
      Set.of(
          "llama",
          "smollm3",
          "qwen2",
          "qwen3",
          "gemma",
          "gemma2",
          "falcon",
          "bloom",
          "olmo",
          "olmo2",
          "olmoe",
          "stablelm",
          "starcoder2",
          "phi3",
          "gpt2",
          "granite",
          "granitemoe",
          "cohere2",
          "glm4");

  /**
   * A tensor of the file.
   *
   * @param tensor brings it, each time that it is asked for
   */
  public record Placed(String name, DataType type, Shape shape, Supplier<Tensor> tensor) {}

  public GgufLayout {
    tensors = List.copyOf(tensors);
  }

  /**
   * Lays a checkpoint out.
   *
   * @throws UnsupportedException if GGUF has no such models, or can't say all of this one
   * @throws FormatException if settings or tensors don't fit together
   */
  public static GgufLayout of(Checkpoint source) {
    try {
      return new Conversion(source).layout();
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new FormatException(source.name() + ": " + e.getMessage(), e);
    }
  }

  /** One checkpoint on its way. */
  private static final class Conversion {
    private final Checkpoint source;
    private final Family family;
    private final Hyperparameters settings;
    private final Decoder decoder;
    private final String architecture;

    Conversion(Checkpoint source) {
      this.source = source;
      family = Families.family(source);
      settings = new Hyperparameters(source, family.usualContext(), length -> length);
      String name = source.architecture();
      Optional<String> known =
          SAME.contains(name) ? Optional.of(name) : Optional.ofNullable(RENAMED.get(name));
      if (known.isEmpty() || !(family.transformer(settings) instanceof Decoder declared)) {
        throw new UnsupportedException(
            source.name() + ": models of architecture " + name + " can't be converted to GGUF");
      }
      decoder = declared;
      architecture = known.get();
    }

    GgufLayout layout() {
      Weights weights = new Weights(source, family.names(settings));
      DecoderGraph.build(decoder, weights, new StateGroups(DataType.F32, DataType.F32), "hidden");
      weights.requireComplete();
      SequencedMap<String, GgufValue> values =
          GgufSettings.of(architecture, source, settings, decoder, weights.vocabulary());

      Hyperparameters marked = target(values, family.ggufMarks(settings));
      GgufPlaces places = new GgufPlaces(family.names(marked));
      Decoder planned = declared(marked);
      weights
          .asked()
          .forEach((purpose, weight) -> places.add(purpose, reordered(purpose, weight, planned)));
      addRopeFactors(places, planned);
      List<Placed> tensors = places.tensors();

      // The file's tensors say something of the model, too.
      List<String> names = tensors.stream().map(Placed::name).toList();
      requireSame(declared(target(values, names)));
      if (architecture.equals("llama") && values.containsKey("llama.attention.sliding_window")) {
        LOG.warn(
            "{}: it sees a window of {} tokens; llama.cpp has none for such models, and goes on"
                + " otherwise behind it",
            source.name(),
            settings.window());
      }
      return new GgufLayout(architecture, values, tensors);
    }

    /** What the file's settings would be, if it had tensors of these names. */
    private Hyperparameters target(Map<String, GgufValue> values, Iterable<String> names) {
      Map<String, GgufValue> all = new LinkedHashMap<>(values);
      all.put("general.architecture", new GgufValue.Text(architecture));
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      Arena arena = Arena.ofAuto();
      Tensor any = new Tensor(DataType.F32, Shape.of(1), arena.allocate(Float.BYTES));
      names.forEach(name -> tensors.put(name, any));
      GgufMetadata metadata = new GgufMetadata(source.name(), all);
      GgufFile file = GgufFile.inMemory(Path.of(source.name()), metadata, tensors, arena);
      return new Hyperparameters(new GgufCheckpoint(file), family.usualContext(), length -> length);
    }

    private Decoder declared(Hyperparameters target) {
      if (family.transformer(target) instanceof Decoder declared
          && declared.blocks().size() == decoder.blocks().size()) {
        return declared;
      }
      throw cannotSay("what it is");
    }

    private UnsupportedException cannotSay(String what) {
      return new UnsupportedException(
          "%s: GGUF files of architecture %s can't say %s"
              .formatted(source.name(), architecture, what));
    }

    /** Rows of queries and keys as the file's rotation turns them. */
    private PlacedWeight reordered(Weights.Purpose purpose, PlacedWeight weight, Decoder planned) {
      boolean isQuery = purpose.name() == WeightName.QUERY;
      if ((!isQuery && purpose.name() != WeightName.KEY)
          || !(decoder.blocks().get(purpose.layer()).attention() instanceof AttentionLayer from)
          || !(planned.blocks().get(purpose.layer()).attention() instanceof AttentionLayer to)
          || from.rotation().isEmpty()
          || to.rotation().isEmpty()
          || pairing(from) == pairing(to)) {
        return weight;
      }
      if (pairing(from) != Pairing.HALVES || !from.queryKeyNorm().norm().equals(Norm.NONE)) {
        throw cannotSay("how positions turn its queries and keys");
      }
      long width = from.heads().keyWidth();
      long turned = from.rotation().get().embedding().rotaryWidth();
      return weight.reordered(
          "neighbours",
          row -> {
            long at = row % width;
            return at >= turned ? row : row - at + at / 2 + at % 2 * (turned / 2);
          });
    }

    private static Pairing pairing(AttentionLayer attention) {
      return attention.rotation().orElseThrow().embedding().pairing();
    }

    /** Divisors of frequencies, which configurations have as numbers, and GGUF as tensors. */
    private void addRopeFactors(GgufPlaces places, Decoder planned) {
      for (int layer = 0; layer < decoder.blocks().size(); layer++) {
        if (decoder.blocks().get(layer).attention() instanceof AttentionLayer from
            && planned.blocks().get(layer).attention() instanceof AttentionLayer to
            && from.rotation().isPresent()
            && to.rotation().isPresent()
            && !from.rotation().get().factors().isEmpty()
            && to.rotation().get().factors().isEmpty()) {
          if (to.rotation().get().stored() == WeightName.ROPE_FACTORS) {
            places.addFactors(WeightName.ROPE_FACTORS, from.rotation().get().factors());
          } else {
            places.addFactors(WeightName.ROPE_FACTORS_SHORT, floats("rope_scaling.short_factor"));
            places.addFactors(WeightName.ROPE_FACTORS_LONG, floats("rope_scaling.long_factor"));
          }
          return;
        }
      }
    }

    private List<Float> floats(String key) {
      return settings.numbers(key).stream().map(Double::floatValue).toList();
    }

    private void requireSame(Decoder planned) {
      if (!planned.embeddings().equals(decoder.embeddings())) {
        throw cannotSay("how it embeds tokens");
      }
      for (int layer = 0; layer < decoder.blocks().size(); layer++) {
        Block from = decoder.blocks().get(layer);
        Block to = planned.blocks().get(layer);
        if (!comparable(from, to).equals(comparable(to, from))) {
          throw cannotSay("all of its layer " + layer);
        }
      }
      Decoder.Head from = decoder.head();
      Decoder.Head to = planned.head();
      if (!decoder.finalNorm().equals(planned.finalNorm())
          || from.hasBias() != to.hasBias()
          || from.scale() != to.scale()
          || from.cap() != to.cap()) {
        throw cannotSay("how it comes to logits");
      }
    }

    /** A block without what differs although the model is the same. */
    private static Block comparable(Block block, Block other) {
      if (!(block.attention() instanceof AttentionLayer attention)
          || !(other.attention() instanceof AttentionLayer otherAttention)
          || attention.rotation().isEmpty()
          || otherAttention.rotation().isEmpty()) {
        return block;
      }
      Rotation rotation = attention.rotation().get();
      boolean isStored =
          rotation.factors().isEmpty() || otherAttention.rotation().get().factors().isEmpty();
      return block.withAttention(
          attention.with(
              new Rotation(
                  rounded(rotation.embedding()), isStored ? List.of() : rotation.factors())));
    }

    /** In one pairing, and with numbers as exact as files have them. */
    private static RotaryEmbedding rounded(RotaryEmbedding embedding) {
      return new RotaryEmbedding(
          Pairing.HALVES,
          embedding.headWidth(),
          embedding.rotaryWidth(),
          (float) embedding.base(),
          (float) embedding.positionScale(),
          // A product of two numbers in one of the formats.
          Math.rint(embedding.magnitude() * 1e6) / 1e6);
    }
  }
}
