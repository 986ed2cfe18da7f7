package dev.kancil.conformance;

import dev.kancil.graph.Operand;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.RopeAttention;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.graph.op.Score;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Cache writes and attention, apart and fused with the rotation. */
final class AttentionCases {
  private static final List<DataType> CACHE_TYPES =
      List.of(DataType.F32, DataType.F16, DataType.BF16, DataType.Q8_0, DataType.F8_E4M3);

  private static final List<Event> ONE = List.of(Event.rows(1));
  private static final List<Event> PROMPT = List.of(Event.rows(5));
  private static final List<Event> DECODE =
      List.of(Event.rows(9), Event.rows(1), Event.rows(1), Event.rows(1));
  // Pages of 16 to 256 tokens are filled, crossed and begun.
  private static final List<Event> LONG =
      List.of(Event.rows(70), Event.rows(1), Event.rows(200), Event.rows(1), Event.rows(2));
  private static final List<Event> RAGGED =
      List.of(
          Event.rows(33, 1, 7),
          Event.rows(1, 1, 1),
          Event.rows(0, 40, 1),
          Event.rows(1, 0, 0, 64),
          Event.rows(2, 3, 1, 1));
  private static final List<Event> FORKED =
      List.of(
          Event.rows(45, 3),
          new Event.Fork(0, 2, 45),
          new Event.Fork(0, 3, 20),
          Event.rows(1, 1, 1, 1),
          new Event.Truncate(0, 33),
          Event.rows(30, 1, 2, 50),
          new Event.Release(2),
          Event.rows(1, 1, 40, 1),
          Event.rows(1, 1, 1, 1));

  private static final Mask PREFIX =
      // Causal, but the first ten tokens see each other.
      new Mask.Any(List.of(Mask.CAUSAL, new Mask.Linear(0, 1, -9)));
  private static final Score ALIBI =
      new Score.Plus(
          Score.PLAIN,
          new Score.Multiply(
              new Score.Offset(),
              new Score.Exp2(new Score.Multiply(new Score.Constant(-2), new Score.Head()))));

  /** Heads, KV heads, and the widths of keys and values. */
  private record Heads(int heads, int kvHeads, int keyWidth, int valueWidth) {
    @Override
    public String toString() {
      return heads + "/" + kvHeads + " heads of " + keyWidth + "/" + valueWidth;
    }
  }

  private static final Heads SMALL = new Heads(4, 2, 64, 64);
  private static final List<Heads> HEADS =
      List.of(
          new Heads(1, 1, 1, 1),
          new Heads(2, 1, 3, 5),
          new Heads(1, 1, 16, 16),
          new Heads(3, 3, 31, 33),
          new Heads(9, 3, 64, 64),
          new Heads(4, 2, 80, 80),
          new Heads(8, 1, 96, 128),
          new Heads(4, 1, 128, 64),
          new Heads(4, 1, 256, 256));

  private final List<Case> cases = new ArrayList<>();

  private AttentionCases() {}

  static List<Case> all() {
    AttentionCases cases = new AttentionCases();
    for (Heads heads : HEADS) {
      cases.attention(heads, DataType.F32, "1 row", ONE);
      cases.attention(heads, DataType.F32, "5 rows", PROMPT);
      cases.attention(heads, DataType.F32, "decoded", DECODE);
      cases.attention(heads, DataType.F16, "ragged", RAGGED);
    }
    for (DataType type : CACHE_TYPES) {
      cases.attention(SMALL, type, "long", LONG);
      cases.attention(SMALL, type, "ragged", RAGGED);
      cases.attention(SMALL, type, "forked", FORKED);
      // A block of Q8_0 holds the end of one head and the beginning of the next.
      cases.attention(new Heads(4, 2, 48, 48), type, "ragged", RAGGED);
    }
    cases.both("mixed", SMALL, DataType.F16, DataType.Q8_0, RAGGED, 0, Mask.CAUSAL, Score.PLAIN, 0);
    cases.both("mixed", SMALL, DataType.Q8_0, DataType.F32, RAGGED, 0, Mask.CAUSAL, Score.PLAIN, 0);
    DataType eightBits = DataType.F8_E4M3;
    cases.both("mixed", SMALL, DataType.F16, eightBits, RAGGED, 0, Mask.CAUSAL, Score.PLAIN, 0);
    cases.both("mixed", SMALL, eightBits, DataType.Q8_0, LONG, 0, Mask.CAUSAL, Score.PLAIN, 0);
    for (Heads heads : HEADS) {
      cases.attention(heads, eightBits, "ragged", RAGGED);
    }
    for (int window : new int[] {1, 7, 32, 33, 50}) {
      Mask mask = Mask.window(window);
      String named = "window " + window;
      for (DataType type : List.of(DataType.F32, DataType.F16)) {
        cases.both(named + " long", SMALL, type, type, LONG, window, mask, Score.PLAIN, 0);
        cases.both(named + " ragged", SMALL, type, type, RAGGED, window, mask, Score.PLAIN, 0);
      }
      // The mask alone: what lies before the window stays in the cache.
      cases.both(
          named + " kept", SMALL, DataType.F32, DataType.F32, FORKED, 0, mask, Score.PLAIN, 0);
    }
    cases.variant("softcap", Mask.CAUSAL, Score.softCap(20), 0);
    cases.variant("tight softcap", Mask.CAUSAL, Score.softCap(0.5f), 2);
    cases.variant("alibi", Mask.CAUSAL, ALIBI, 0);
    cases.variant("sharp", Mask.CAUSAL, Score.PLAIN, 8);
    cases.variant("inverted", Mask.CAUSAL, Score.PLAIN, -0.2f);
    cases.variant("both ways", Mask.EVERYTHING, Score.PLAIN, 0);
    cases.variant("prefix", PREFIX, Score.PLAIN, 0);
    cases.variant("window and softcap", Mask.window(9), Score.softCap(3), 0);
    cases.variant("nothing seen", new Mask.Linear(1, 1, 1), Score.PLAIN, 0);
    for (Pairing pairing : Pairing.values()) {
      for (Heads heads : HEADS) {
        if (heads.keyWidth() > 1) {
          cases.rotated(pairing, heads, heads.keyWidth() & ~1, DataType.F32, "decoded", DECODE);
          cases.rotated(pairing, heads, heads.keyWidth() & ~1, DataType.F16, "ragged", RAGGED);
        }
      }
      for (DataType type : CACHE_TYPES) {
        cases.rotated(pairing, SMALL, 64, type, "long", LONG);
        cases.rotated(pairing, SMALL, 32, type, "forked", FORKED);
      }
      cases.rotatedByFactors(pairing);
      for (DataType type : CACHE_TYPES) {
        RotaryEmbedding magnified = new RotaryEmbedding(pairing, 64, 32, 10_000, 1, 1.2079);
        cases.rotated(magnified, SMALL, type, "magnified, decoded", DECODE);
        cases.rotated(magnified, SMALL, type, "magnified, long", LONG);
      }
    }
    for (DataType type : CACHE_TYPES) {
      cases.sinks(SMALL, type, "decoded", DECODE, Mask.CAUSAL, Score.PLAIN, 2);
      cases.sinks(SMALL, type, "long", LONG, Mask.window(50), Score.PLAIN, 2);
    }
    cases.sinks(new Heads(9, 3, 31, 33), DataType.F32, "ragged", RAGGED, PREFIX, ALIBI, 2);
    cases.sinks(new Heads(16, 1, 64, 64), DataType.F16, "ragged", RAGGED, PREFIX, ALIBI, 2);
    cases.sinks(new Heads(2, 1, 256, 256), DataType.BF16, "ragged", RAGGED, PREFIX, ALIBI, 2);
    // Weights that vanish beside a sink, and sinks that vanish beside weights.
    cases.sinks(SMALL, DataType.F16, "far sinks", LONG, Mask.CAUSAL, Score.PLAIN, 30);
    Mask nothing = new Mask.Linear(1, 1, 1);
    cases.sinks(SMALL, DataType.F16, "nothing seen", LONG, nothing, Score.PLAIN, 2);
    Score t5 = new Score.Plus(Score.PLAIN, new Score.RelativeBias(32, 128, true));
    Score oneWay = new Score.Plus(Score.PLAIN, new Score.RelativeBias(32, 128, false));
    Score capped = new Score.Plus(Score.softCap(3), new Score.RelativeBias(8, 20, true));
    for (DataType type : CACHE_TYPES) {
      cases.relative(SMALL, type, "both ways", LONG, Mask.EVERYTHING, t5, false);
      cases.relative(SMALL, type, "one way", RAGGED, Mask.CAUSAL, oneWay, false);
    }
    cases.relative(SMALL, DataType.F16, "one way, long", LONG, Mask.CAUSAL, oneWay, true);
    cases.relative(SMALL, DataType.F16, "capped, sinks", LONG, Mask.window(50), capped, true);
    cases.relative(
        new Heads(9, 3, 31, 33), DataType.F32, "capped, sinks", RAGGED, PREFIX, capped, true);
    cases.relative(new Heads(2, 1, 256, 256), DataType.BF16, "prefix", LONG, PREFIX, t5, false);
    cases.hardNumbers(SMALL, DataType.F8_E4M3);
    cases.hardNumbers(new Heads(3, 3, 31, 33), DataType.F8_E4M3);
    cases.twoLayers();
    cases.random();
    return cases.cases;
  }

  /** Shapes that nobody chose; the same in each run. */
  private void random() {
    SplittableRandom random = new SplittableRandom(2026);
    for (int i = 0; i < 8; i++) {
      DataType type = CACHE_TYPES.get(i % CACHE_TYPES.size());
      int kvHeads = random.nextInt(1, 4);
      int group = random.nextInt(1, 9);
      int keyWidth = random.nextInt(16, 257);
      int valueWidth = random.nextInt(16, 257);
      if (type == DataType.Q8_0) {
        // Rows are whole blocks.
        keyWidth = Math.ceilDiv(keyWidth, 32) * 32;
        valueWidth = Math.ceilDiv(valueWidth, 32) * 32;
      }
      int sequences = random.nextInt(1, 65);
      List<Event> events =
          List.of(
              randomRows(random, sequences, 90),
              randomRows(random, sequences, 2),
              randomRows(random, sequences, 40));
      Heads heads = new Heads(group * kvHeads, kvHeads, keyWidth, valueWidth);
      attention(heads, type, "random " + i, events);
    }
  }

  /** Up to three rows for each sequence, and more for the first. */
  private static Event randomRows(SplittableRandom random, int sequences, int most) {
    Integer[] rows = new Integer[sequences];
    Arrays.setAll(rows, _ -> random.nextInt(4));
    rows[0] = random.nextInt(1, most + 1);
    return Event.rows(rows);
  }

  private void attention(Heads heads, DataType type, String rows, List<Event> events) {
    both(rows, heads, type, type, events, 0, Mask.CAUSAL, Score.PLAIN, 0);
  }

  private void variant(String name, Mask mask, Score score, float scale) {
    both(name, SMALL, DataType.F32, DataType.F32, RAGGED, 0, mask, score, scale);
    both(name + " long", SMALL, DataType.F16, DataType.F16, LONG, 0, mask, score, scale);
  }

  /** The scale 0 stands for the usual one. */
  private void both(
      String name,
      Heads heads,
      DataType keyType,
      DataType valueType,
      List<Event> events,
      int window,
      Mask mask,
      Score score,
      float scale) {
    cases.add(
        new Case(
            "Attention",
            types(keyType, valueType),
            heads + " " + name,
            events,
            s -> {
              StateSlot slot = slot(s, heads, keyType, valueType, window);
              Value q = s.x(heads.heads * heads.keyWidth);
              s.apply(
                  new CacheWrite(slot),
                  s.x(heads.kvHeads * heads.keyWidth),
                  s.x(heads.kvHeads * heads.valueWidth));
              s.check(attention(slot, heads, scale, mask, score), q, s.positions());
            }));
  }

  private void rotated(
      Pairing pairing, Heads heads, int turned, DataType type, String name, List<Event> events) {
    rotated(
        new RotaryEmbedding(pairing, heads.keyWidth, turned, 10_000, 1), heads, type, name, events);
  }

  private void rotated(
      RotaryEmbedding rotary, Heads heads, DataType type, String name, List<Event> events) {
    cases.add(
        new Case(
            "RopeAttention",
            List.of(type),
            heads + ", " + rotary.rotaryWidth() + " turned, " + rotary.pairing() + " " + name,
            events,
            s -> {
              StateSlot slot = slot(s, heads, type, type, 0);
              s.check(
                  new RopeAttention(rotary, attention(slot, heads, 0, Mask.CAUSAL, Score.PLAIN)),
                  s.x(heads.heads * heads.keyWidth),
                  s.x(heads.kvHeads * heads.keyWidth),
                  s.x(heads.kvHeads * heads.valueWidth),
                  s.positions());
            }));
  }

  private void rotatedByFactors(Pairing pairing) {
    RotaryEmbedding rotary = new RotaryEmbedding(pairing, 64, 64, 500_000, 0.5);
    cases.add(
        new Case(
            "RopeAttention",
            List.of(DataType.F32),
            SMALL + ", by factors, " + pairing + ", window 20",
            RAGGED,
            s -> {
              StateSlot slot = slot(s, SMALL, DataType.F32, DataType.F32, 20);
              s.check(
                  new RopeAttention(
                      rotary, attention(slot, SMALL, 0, Mask.window(20), Score.softCap(30))),
                  s.x(256),
                  s.x(128),
                  s.x(128),
                  s.positions(),
                  s.between(1, 32, 32));
            }));
  }

  /** Sinks from -most to most: of attention alone, and fused with the rotation. */
  private void sinks(
      Heads heads,
      DataType type,
      String name,
      List<Event> events,
      Mask mask,
      Score score,
      float most) {
    int turned = heads.keyWidth & ~1;
    RotaryEmbedding rotary = new RotaryEmbedding(Pairing.HALVES, heads.keyWidth, turned, 10_000, 1);
    for (boolean isFused : new boolean[] {false, true}) {
      cases.add(
          new Case(
              isFused ? "RopeAttention" : "Attention",
              List.of(type),
              heads + " with sinks, " + name,
              events,
              s -> {
                StateSlot slot = slot(s, heads, type, type, 0);
                Attention attention = attention(slot, heads, 0, mask, score).withSinks();
                Value q = s.x(heads.heads * heads.keyWidth);
                Value k = s.x(heads.kvHeads * heads.keyWidth);
                Value v = s.x(heads.kvHeads * heads.valueWidth);
                Operand sinks = s.between(-most, most, heads.heads);
                if (isFused) {
                  s.check(new RopeAttention(rotary, attention), q, k, v, s.positions(), sinks);
                } else {
                  s.apply(new CacheWrite(slot), k, v);
                  s.check(attention, q, s.positions(), sinks);
                }
              }));
    }
  }

  /** Scores with relative biases: of attention alone, and fused with the rotation. */
  private void relative(
      Heads heads,
      DataType type,
      String name,
      List<Event> events,
      Mask mask,
      Score score,
      boolean hasSinks) {
    int buckets = Score.relativeBiases(score).iterator().next().buckets();
    RotaryEmbedding rotary =
        new RotaryEmbedding(Pairing.HALVES, heads.keyWidth, heads.keyWidth & ~1, 10_000, 1);
    for (boolean isFused : new boolean[] {false, true}) {
      cases.add(
          new Case(
              isFused ? "RopeAttention" : "Attention",
              List.of(type),
              heads + " with relative biases, " + name,
              events,
              s -> {
                StateSlot slot = slot(s, heads, type, type, 0);
                Attention plain = attention(slot, heads, 0, mask, score);
                Value q = s.x(heads.heads * heads.keyWidth);
                Value k = s.x(heads.kvHeads * heads.keyWidth);
                Value v = s.x(heads.kvHeads * heads.valueWidth);
                List<Operand> weights = new ArrayList<>();
                if (hasSinks) {
                  weights.add(s.between(-2, 2, heads.heads));
                }
                weights.add(s.weight(DataType.F32, buckets, heads.heads));
                Attention attention = hasSinks ? plain.withSinks() : plain;
                List<Operand> inputs = new ArrayList<>();
                if (isFused) {
                  inputs.addAll(List.of(q, k, v, s.positions()));
                  inputs.addAll(weights);
                  s.check(new RopeAttention(rotary, attention), inputs.toArray(Operand[]::new));
                } else {
                  s.apply(new CacheWrite(slot), k, v);
                  inputs.addAll(List.of(q, s.positions()));
                  inputs.addAll(weights);
                  s.check(attention, inputs.toArray(Operand[]::new));
                }
              }));
    }
  }

  /**
   * Values that are numbers of a type, halfway between two, next to either, or beyond them, each
   * seen by its own row alone: with queries of zeros, so that weights are powers of two on every
   * device and results what the cache holds, to the bit.
   */
  private void hardNumbers(Heads heads, DataType type) {
    float[] numbers = hardNumbers(type);
    cases.add(
        Case.exact(
            "Attention",
            type,
            heads + " hard numbers",
            LONG,
            s -> {
              int columns = heads.kvHeads * heads.valueWidth;
              StateSlot slot = slot(s, heads, type, type, 0);
              Value q = s.x(heads.heads * heads.keyWidth, (_, _) -> 0);
              s.apply(
                  new CacheWrite(slot),
                  s.x(heads.kvHeads * heads.keyWidth),
                  s.x(columns, (token, i) -> numbers[(token * columns + i) % numbers.length]));
              s.check(attention(slot, heads, 0, Mask.window(1), Score.PLAIN), q, s.positions());
            }));
  }

  private static float[] hardNumbers(DataType type) {
    float[] held = new float[1 << 8 * type.blockBytes()];
    byte[] codes = new byte[held.length];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) i;
    }
    Blocks.decode(type, MemorySegment.ofArray(codes), 0, held, 0, held.length);
    List<Float> numbers = new ArrayList<>();
    for (int i = 0; i < held.length; i++) {
      float next = held[(i + 1) % held.length];
      if (Float.isFinite(held[i]) && Float.isFinite(next)) {
        float halfway = (held[i] + next) / 2;
        numbers.addAll(List.of(held[i], halfway, Math.nextUp(halfway), Math.nextDown(halfway)));
      }
    }
    for (float beyond : new float[] {448, 463.99997f, 464, 480, 1e30f, Float.POSITIVE_INFINITY}) {
      numbers.addAll(List.of(beyond, -beyond));
    }
    float[] all = new float[numbers.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = numbers.get(i);
    }
    return all;
  }

  /** Layers of one group and of two keep apart, and a windowed one beside a full one. */
  private void twoLayers() {
    StateGroup pair = new StateGroup(2, 128, 128, DataType.F32, DataType.F32, 0);
    StateGroup windowed = new StateGroup(1, 128, 128, DataType.F16, DataType.F16, 20);
    cases.add(
        new Case(
            "Attention",
            List.of(DataType.F32, DataType.F16),
            "three layers in two groups",
            RAGGED,
            s -> {
              List<StateSlot> slots =
                  List.of(s.slot(pair, 0), s.slot(pair, 1), s.slot(windowed, 0));
              List<Operand> queries = new ArrayList<>();
              for (StateSlot slot : slots) {
                queries.add(s.x(256));
                s.apply(new CacheWrite(slot), s.x(128), s.x(128));
              }
              for (int i = 0; i < slots.size(); i++) {
                Mask mask = i == 2 ? Mask.window(20) : Mask.CAUSAL;
                s.check(
                    attention(slots.get(i), SMALL, 0, mask, Score.PLAIN),
                    queries.get(i),
                    s.positions());
              }
            }));
  }

  private static StateSlot slot(
      Scene scene, Heads heads, DataType keyType, DataType valueType, int window) {
    return scene.slot(
        heads.kvHeads * heads.keyWidth,
        heads.kvHeads * heads.valueWidth,
        keyType,
        valueType,
        window);
  }

  private static Attention attention(
      StateSlot slot, Heads heads, float scale, Mask mask, Score score) {
    return new Attention(
        slot,
        heads.heads,
        heads.kvHeads,
        heads.keyWidth,
        heads.valueWidth,
        scale == 0 ? (float) (1 / Math.sqrt(heads.keyWidth)) : scale,
        mask,
        score);
  }

  private static List<DataType> types(DataType keyType, DataType valueType) {
    return keyType == valueType ? List.of(keyType) : List.of(keyType, valueType);
  }
}
