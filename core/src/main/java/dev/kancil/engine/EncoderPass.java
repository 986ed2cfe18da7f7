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
import java.util.function.Function;

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
   * @param rows outputs with a row for each token, if they were asked for
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
    return runAll(items(texts));
  }

  /**
   * Computes what stands for texts and its heads' outputs, and none of their rows; otherwise as
   * {@link #run}.
   */
  public List<Result> runPooled(List<TextRow> texts) {
    return run(items(texts), false);
  }

  private List<Item> items(List<TextRow> texts) {
    return texts.stream().map(text -> Item.of(text, model)).toList();
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
    return run(items, true);
  }

  private List<Result> run(List<Item> items, boolean needsRows) {
    List<Result> results = new ArrayList<>();
    while (results.size() < items.size()) {
      List<Item> left = items.subList(results.size(), items.size());
      int count = encoder.fitting(left.stream().map(Item::tokens).toList());
      results.addAll(step(left.subList(0, count), needsRows));
    }
    return results;
  }

  /** The row that stands for an item; empty: more than one does. */
  private OptionalInt pooledRow(Item item) {
    return item.pooled.isPresent() ? item.pooled : pooling.row(item.tokens.length);
  }

  private List<Result> step(List<Item> items, boolean needsRows) {
    List<SequencedMap<String, float[][]>> outputs =
        run(encoder, state, items, item -> needsRows ? OptionalInt.empty() : pooledRow(item));
    List<float[]> ofTexts = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      float[][] all = outputs.get(i).firstEntry().getValue();
      OptionalInt row = pooledRow(items.get(i));
      ofTexts.add(row.isEmpty() ? Pooling.mean(all) : all[needsRows ? row.getAsInt() : 0]);
    }
    List<SequencedMap<String, float[][]>> heads =
        pooled.isEmpty() ? List.of() : heads(pooled.get(), noState.orElseThrow(), ofTexts);
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      Map<String, float[]> ofHeads = new LinkedHashMap<>();
      if (!heads.isEmpty()) {
        heads.get(i).forEach((name, row) -> ofHeads.put(name, row[0]));
      }
      results.add(
          new Result(needsRows ? outputs.get(i) : new LinkedHashMap<>(), ofTexts.get(i), ofHeads));
    }
    return results;
  }

  private static List<SequencedMap<String, float[][]>> heads(
      SequencePass pass, SequenceState state, List<float[]> rows) {
    List<Item> items = new ArrayList<>();
    for (float[] row : rows) {
      Map<String, MemorySegment> brought = Map.of(Graph.POOLED, MemorySegment.ofArray(row));
      items.add(new Item(new int[1], brought, OptionalInt.empty()));
    }
    return run(pass, state, items, _ -> OptionalInt.empty());
  }

  /**
   * @param onlyRow the row that is read; empty: all are
   */
  private static List<SequencedMap<String, float[][]>> run(
      SequencePass pass,
      SequenceState state,
      List<Item> items,
      Function<Item, OptionalInt> onlyRow) {
    List<Integer> opened = new ArrayList<>();
    try {
      List<SequencePass.Input> inputs = new ArrayList<>();
      for (Item item : items) {
        int sequence = state.open();
        opened.add(sequence);
        OptionalInt row = onlyRow.apply(item);
        int from = row.orElse(0);
        int to = row.isPresent() ? from + 1 : item.tokens.length;
        inputs.add(new SequencePass.Input(sequence, sequence, item.tokens, item.brought, from, to));
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
