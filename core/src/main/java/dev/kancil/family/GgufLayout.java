package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
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
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A checkpoint of a transformer of text as a GGUF file has it: settings and tensors under the names
 * there.
 *
 * <p>A family declares where either format keeps each weight, and both declarations are used here:
 * weights are found by the one and placed by the other. That settings say the same in both formats
 * is checked by reading them back: what they declare must be what there was.
 *
 * @param architecture {@code general.architecture}
 * @param settings metadata under the architecture's name, and of tokens what the model alone knows
 */
public record GgufLayout(
    String architecture, SequencedMap<String, GgufValue> settings, List<Placed> tensors) {
  private static final Logger LOG = LoggerFactory.getLogger(GgufLayout.class);

  /** Architectures that GGUF knows, by what configurations call them. */
  private static final Map<String, String> RENAMED =
      Map.ofEntries(
          Map.entry("mistral", "llama"),
          Map.entry("mixtral", "llama"),
          Map.entry("ministral", "llama"),
          Map.entry("olmo3", "olmo2"),
          Map.entry("qwen2_moe", "qwen2moe"),
          Map.entry("qwen3_moe", "qwen3moe"),
          Map.entry("granitemoeshared", "granitemoe"),
          Map.entry(Granite.HYBRID, "granitemoe"),
          Map.entry("gemma3_text", "gemma3"),
          Map.entry("gpt_neox", "gptneox"),
          Map.entry("gpt_oss", "gpt-oss"),
          Map.entry("phi", "phi2"),
          Map.entry("cohere", "command-r"),
          Map.entry("glm", "chatglm"),
          Map.entry("glm4_moe", "glm4moe"),
          Map.entry("roberta", "bert"),
          Map.entry("xlm-roberta", "bert"),
          Map.entry("camembert", "bert"),
          Map.entry("distilbert", "bert"),
          Map.entry("modernbert", "modern-bert"),
          Map.entry("nomic_bert", "nomic-bert"),
          Map.entry("mt5", "t5"),
          Map.entry("umt5", "t5"),
          Map.entry("deepseek_v2", "deepseek2"),
          Map.entry("deepseek_v3", "deepseek2"));

  /** Architectures whose files may have divisors of frequencies (Llama 3). */
  private static final Set<String> FACTORS =
      Set.of("arcee", "exaone4", "granite", "granitemoe", "llama");

  /** Those whose files may have such for short contexts, and others for long ones. */
  private static final Set<String> LONG_FACTORS = Set.of("granite", "granitemoe", "llama", "phi3");

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
          "glm4",
          "arcee",
          "ernie4_5",
          "exaone4",
          "nemotron",
          "seed_oss",
          "bert",
          "t5");

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
   * @param pooling what stands for a text, by what does where no other file says
   * @throws UnsupportedException if GGUF has no such models, or can't say all of this one
   * @throws FormatException if settings or tensors don't fit together
   */
  public static GgufLayout of(Checkpoint source, UnaryOperator<Pooling> pooling) {
    try {
      return new Conversion(source).layout(pooling);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new FormatException(source.name() + ": " + e.getMessage(), e);
    }
  }

  /** One checkpoint on its way. */
  private static final class Conversion {
    private final Checkpoint source;
    private final Family family;
    private final Hyperparameters settings;
    private final Transformer whole;
    private final Transformer declared;
    private final String architecture;
    private final List<GgufStack> stacks;

    Conversion(Checkpoint source) {
      this.source = source;
      family = Families.family(source);
      settings = new Hyperparameters(source, family.usualContext(), length -> length);
      String name = source.architecture();
      whole = family.transformer(settings);
      declared = whole instanceof Encoder encoder ? GgufEncoders.kept(encoder) : whole;
      Transformer written =
          declared instanceof Encoder encoder
              ? GgufEncoders.withoutPadding(encoder, settings.contextLength())
              : declared;
      stacks = GgufStack.of(written, family.names(settings));
      String known = SAME.contains(name) ? name : RENAMED.get(name);
      if (known == null || stacks.isEmpty()) {
        throw new UnsupportedException(
            source.name() + ": models of architecture " + name + " can't be converted to GGUF");
      }
      architecture = architecture(known);
    }

    private String architecture(String known) {
      if (known.equals("t5") && declared instanceof Encoder) {
        return "t5encoder";
      }
      boolean hasExperts =
          stacks.getFirst().blocks().getFirst().feedForward() instanceof FeedForward.Experts;
      return known.equals("granitemoe") && !hasExperts ? "granite" : known;
    }

    GgufLayout layout(UnaryOperator<Pooling> pooling) {
      Weights all = new Weights(source, family.names(settings));
      build(whole, all);
      all.requireComplete();
      SequencedMap<String, GgufValue> values =
          GgufSettings.of(architecture, source, settings, declared, all.vocabulary());
      if (declared instanceof Encoder encoder) {
        GgufSettings.addEncoder(
            values, architecture, settings, encoder, stacks.getFirst().embeddings(), pooling);
        tellLost(encoder);
      }

      Map<String, Long> marks = new LinkedHashMap<>();
      family.ggufMarks(settings).forEach(name -> marks.put(name, 1L));
      List<GgufStack> planned = declaredBy(target(values, marks));
      GgufPlaces places = new GgufPlaces();
      List<Weights> gathered = build(declared, new Weights(source, family.names(settings)));
      for (int i = 0; i < stacks.size(); i++) {
        GgufStack from = stacks.get(i);
        GgufStack to = planned.get(i);
        Weights weights = gathered.get(i);
        weights
            .asked()
            .forEach((purpose, weight) -> place(places, weights, purpose, weight, from, to));
      }
      addRopeFactors(places, stacks.getLast(), planned.getLast());
      List<Placed> tensors = places.tensors();

      // The file's tensors say something of the model, too.
      Map<String, Long> rows = new LinkedHashMap<>();
      tensors.forEach(placed -> rows.put(placed.name(), placed.shape().dimension(0)));
      List<GgufStack> read = declaredBy(target(values, rows));
      for (int i = 0; i < stacks.size(); i++) {
        Optional<String> missing = stacks.get(i).missingIn(read.get(i));
        if (missing.isPresent()) {
          throw cannotSay(missing.get());
        }
      }
      tellIgnored(values);
      return new GgufLayout(architecture, values, tensors);
    }

    /** What Kancil reads from the file, and llama.cpp does not. */
    private void tellIgnored(SequencedMap<String, GgufValue> values) {
      boolean isWindowed = values.containsKey(architecture + ".attention.sliding_window");
      if (isWindowed && Set.of("llama", "phi3").contains(architecture)) {
        LOG.warn(
            "{}: it sees a window of {} tokens; llama.cpp has none for such models, and goes on"
                + " otherwise behind it",
            source.name(),
            settings.window());
      }
      boolean hasUsualBounds =
          source.number("rope.scaling.yarn_beta_fast").orElse(32.0) == 32
              && source.number("rope.scaling.yarn_beta_slow").orElse(1.0) == 1;
      if (values.containsKey(architecture + ".rope.scaling.type") && !hasUsualBounds) {
        LOG.warn(
            "{}: llama.cpp stretches the rotation of all models between 32 and 1 turns, not as this"
                + " one says",
            source.name());
      }
    }

    private void place(
        GgufPlaces places,
        Weights weights,
        Weights.Purpose purpose,
        PlacedWeight weight,
        GgufStack from,
        GgufStack to) {
      // What both formats take apart alike is one tensor in both.
      Optional<GgufPlaces.Same> same =
          purpose.isBias() || !to.names().has(purpose.name())
              ? Optional.empty()
              : GgufPlaces.same(
                  from.names().place(purpose.name()), to.names().place(purpose.name()));
      if (same.isPresent()) {
        PlacedWeight all = weights.whole(same.get().there(), purpose.layer());
        places.add(purpose.layer(), same.get().here(), all);
      } else {
        places.add(to.names(), purpose, reordered(purpose, cut(purpose, weight, from), from, to));
      }
    }

    /** Asks for all weights of a transformer; those of each stack apart. */
    private List<Weights> build(Transformer transformer, Weights weights) {
      StateGroups state = new StateGroups(DataType.F32, DataType.F32);
      switch (transformer) {
        case Decoder decoder -> DecoderGraph.build(decoder, weights, state, "hidden");
        case Encoder encoder ->
            new EncoderGraph(encoder, weights, state).load("hidden", Encoder.ROWS, 1);
        case EncoderDecoder both -> {
          Weights ofEncoder = weights.under(both.encoderNames());
          new EncoderGraph(both.encoder(), ofEncoder, state)
              .rows("encoder", EncoderDecoder.ROWS, both.decoder().blocks(), weights);
          DecoderGraph.build(both.decoder(), weights, state, "decoder");
          return List.of(ofEncoder, weights);
        }
        default -> throw new IllegalArgumentException(architecture);
      }
      return List.of(weights);
    }

    private void tellLost(Encoder kept) {
      if (whole instanceof Encoder encoder) {
        Set<String> lost = new TreeSet<>();
        Stream.concat(encoder.rowHeads().stream(), encoder.pooledHeads().stream())
            .filter(head -> !kept.pooledHeads().contains(head))
            .forEach(head -> lost.add(head.output()));
        if (!lost.isEmpty()) {
          LOG.warn(
              "{}: GGUF files have no place for the weights of {}, which are left out",
              source.name(),
              String.join(", ", lost));
        }
      }
    }

    /** What the file's settings would be, if it had tensors of these names and numbers of rows. */
    private Hyperparameters target(Map<String, GgufValue> values, Map<String, Long> rows) {
      Map<String, GgufValue> all = new LinkedHashMap<>(values);
      all.put("general.architecture", new GgufValue.Text(architecture));
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      Arena arena = Arena.ofAuto();
      rows.forEach(
          (name, count) ->
              tensors.put(name, new Tensor(DataType.I8, Shape.of(count), arena.allocate(count))));
      GgufMetadata metadata = new GgufMetadata(source.name(), all);
      GgufFile file = GgufFile.inMemory(Path.of(source.name()), metadata, tensors, arena);
      return new Hyperparameters(new GgufCheckpoint(file), family.usualContext(), length -> length);
    }

    private List<GgufStack> declaredBy(Hyperparameters target) {
      Family reader = Families.named(architecture);
      List<GgufStack> read = GgufStack.of(reader.transformer(target), reader.names(target));
      boolean isAlike = read.size() == stacks.size();
      for (int i = 0; i < stacks.size() && isAlike; i++) {
        isAlike = read.get(i).blocks().size() == stacks.get(i).blocks().size();
      }
      if (isAlike) {
        return read;
      }
      throw cannotSay("what it is");
    }

    private UnsupportedException cannotSay(String what) {
      return new UnsupportedException(
          "%s: GGUF files of architecture %s can't say %s"
              .formatted(source.name(), architecture, what));
    }

    /** Positions without those that no token has. */
    private static PlacedWeight cut(Weights.Purpose purpose, PlacedWeight weight, GgufStack stack) {
      long kept = stack.embeddings().positions();
      long rows = weight.shape().dimension(0);
      return purpose.name() == WeightName.POSITION_EMBEDDING && rows > kept
          ? weight.rows(rows - kept, Shape.of(kept, weight.shape().columns()))
          : weight;
    }

    /** Rows of queries and keys as the file's rotation turns them. */
    private PlacedWeight reordered(
        Weights.Purpose purpose, PlacedWeight weight, GgufStack source, GgufStack planned) {
      boolean isQuery = purpose.name() == WeightName.QUERY;
      if ((!isQuery && purpose.name() != WeightName.KEY)
          || !(source.blocks().get(purpose.layer()).attention() instanceof AttentionLayer from)
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
    private void addRopeFactors(GgufPlaces places, GgufStack stack, GgufStack planned) {
      for (int layer = 0; layer < stack.blocks().size(); layer++) {
        if (stack.blocks().get(layer).attention() instanceof AttentionLayer from
            && planned.blocks().get(layer).attention() instanceof AttentionLayer to
            && from.rotation().isPresent()
            && to.rotation().isPresent()
            && !from.rotation().get().factors().isEmpty()
            && to.rotation().get().factors().isEmpty()) {
          boolean isOfOneKind = to.rotation().get().stored() == WeightName.ROPE_FACTORS;
          if (!(isOfOneKind ? FACTORS : LONG_FACTORS).contains(architecture)) {
            throw cannotSay("how its rotation is stretched");
          }
          if (isOfOneKind) {
            places.addFactors(
                planned.names(), WeightName.ROPE_FACTORS, from.rotation().get().factors());
          } else {
            places.addFactors(
                planned.names(),
                WeightName.ROPE_FACTORS_SHORT,
                floats("rope_scaling.short_factor"));
            places.addFactors(
                planned.names(), WeightName.ROPE_FACTORS_LONG, floats("rope_scaling.long_factor"));
          }
          return;
        }
      }
    }

    private List<Float> floats(String key) {
      return settings.numbers(key).stream().map(Double::floatValue).toList();
    }
  }
}
