package dev.kancil.engine;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.SequenceState;
import dev.kancil.family.LoadedModel;
import dev.kancil.family.Pooling;
import dev.kancil.graph.Graph;
import dev.kancil.graph.StateLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;

/** Runs an encoder on texts: rows, what stands for each text, and what heads make of both. */
public final class EncoderPass implements AutoCloseable {
  private final LoadedModel.OfEncoder model;
  private final Pooling pooling;
  private final SequenceState state;
  private final SequencePass encoder;
  private final Optional<SequenceState> noState;
  private final Optional<SequencePass> pooled;

  /**
   * Compiles an encoder.
   *
   * @param model as loaded; its graph of rows may have taps, its first output are the rows
   * @param pooling what stands for a text
   * @param longest the most tokens of a text
   */
  public EncoderPass(
      Device device,
      LoadedModel.OfEncoder model,
      Pooling pooling,
      DeviceWeights weights,
      int longest) {
    this.model = model;
    this.pooling = pooling;
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      int rows = SequencePass.rows(device, longest);
      int sequences = Math.min(rows, SequencePass.SEQUENCES);
      state = device.createState(model.rows().state(), sequences, rows);
      opened.add(state);
      encoder = new SequencePass(device, model.rows(), weights, longest, state);
      opened.add(encoder);
      if (model.pooled().isPresent()) {
        SequenceState none = device.createState(new StateLayout(List.of()), sequences, sequences);
        opened.add(none);
        noState = Optional.of(none);
        pooled = Optional.of(new SequencePass(device, model.pooled().get(), weights, 1, none));
      } else {
        noState = Optional.empty();
        pooled = Optional.empty();
      }
    } catch (RuntimeException e) {
      opened.reversed().forEach(EncoderPass::close);
      throw e;
    }
  }

  private static void close(AutoCloseable opened) {
    try {
      opened.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A text's results.
   *
   * @param rows outputs with a row for each token
   * @param pooled the row that stands for the text
   * @param outputs what heads make of that, each one row
   */
  public record Result(
      SequencedMap<String, float[][]> rows, float[] pooled, Map<String, float[]> outputs) {}

  /**
   * Computes texts.
   *
   * @throws dev.kancil.InvalidRequestException if an id is out of range, or one is too long
   */
  public List<Result> run(List<TextRow> texts) {
    return runAll(texts.stream().map(text -> Item.of(text, model)).toList());
  }

  /**
   * What is computed: a text or an image.
   *
   * @param tokens ids
   * @param brought what else the graph of rows takes
   * @param pooled index of the row that stands for it; empty: {@link Pooling} says
   */
  record Item(int[] tokens, Map<String, MemorySegment> brought, OptionalInt pooled) {
    /** A text. */
    static Item of(TextRow text, LoadedModel.OfEncoder model) {
      return new Item(
          text.tokens(),
          text.brought(model, model.padding(), model.tokenTypes()),
          OptionalInt.empty());
    }
  }

  /** Computes texts or images. */
  List<Result> runAll(List<Item> items) {
    List<Result> results = new ArrayList<>();
    while (results.size() < items.size()) {
      List<Item> left = items.subList(results.size(), items.size());
      int count = encoder.fitting(left.stream().map(Item::tokens).toList());
      results.addAll(step(left.subList(0, count)));
    }
    return results;
  }

  private List<Result> step(List<Item> items) {
    List<SequencedMap<String, float[][]>> outputs =
        run(
            encoder,
            state,
            items.stream().map(Item::tokens).toList(),
            items.stream().map(Item::brought).toList());
    List<float[]> ofTexts = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      float[][] all = outputs.get(i).firstEntry().getValue();
      OptionalInt chosen = items.get(i).pooled;
      ofTexts.add(chosen.isPresent() ? all[chosen.getAsInt()] : pooling.of(all));
    }
    List<SequencedMap<String, float[][]>> heads =
        pooled.isEmpty() ? List.of() : heads(pooled.get(), noState.orElseThrow(), ofTexts);
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      Map<String, float[]> ofHeads = new LinkedHashMap<>();
      if (!heads.isEmpty()) {
        heads.get(i).forEach((name, row) -> ofHeads.put(name, row[0]));
      }
      results.add(new Result(outputs.get(i), ofTexts.get(i), ofHeads));
    }
    return results;
  }

  private static List<SequencedMap<String, float[][]>> heads(
      SequencePass pass, SequenceState state, List<float[]> rows) {
    List<Map<String, MemorySegment>> brought = new ArrayList<>();
    List<int[]> tokens = new ArrayList<>();
    for (float[] row : rows) {
      brought.add(Map.of(Graph.POOLED, MemorySegment.ofArray(row)));
      tokens.add(new int[1]);
    }
    return run(pass, state, tokens, brought);
  }

  private static List<SequencedMap<String, float[][]>> run(
      SequencePass pass,
      SequenceState state,
      List<int[]> tokens,
      List<Map<String, MemorySegment>> brought) {
    List<Integer> opened = new ArrayList<>();
    try {
      List<SequencePass.Input> inputs = new ArrayList<>();
      for (int i = 0; i < tokens.size(); i++) {
        int sequence = state.open();
        opened.add(sequence);
        inputs.add(new SequencePass.Input(sequence, sequence, tokens.get(i), brought.get(i)));
      }
      return pass.run(inputs);
    } finally {
      opened.forEach(state::release);
    }
  }

  @Override
  public void close() {
    pooled.ifPresent(SequencePass::close);
    noState.ifPresent(SequenceState::close);
    encoder.close();
    state.close();
  }
}
