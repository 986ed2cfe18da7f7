package dev.kancil.conformance;

import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeBias;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeRoute.Grouping;
import dev.kancil.graph.op.MoeRoute.Ranking;
import dev.kancil.graph.op.MoeRoute.Scoring;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Mixtures of experts: who is chosen, products with the experts' weights, weighted sums. */
final class MoeCases {
  private static final List<Event> ONE = List.of(Event.rows(1));
  private static final List<Event> RAGGED =
      List.of(Event.rows(33, 1, 7), Event.rows(1), Event.rows(2, 1), Event.rows(64), Event.rows(9));

  /** Experts, and how many of them a row uses. */
  private record Experts(int count, int used) {
    @Override
    public String toString() {
      return used + " of " + count + " experts";
    }
  }

  private static final List<Experts> EXPERTS =
      List.of(
          new Experts(1, 1),
          new Experts(2, 1),
          new Experts(7, 7),
          new Experts(8, 2),
          new Experts(33, 8),
          new Experts(60, 4),
          new Experts(256, 8));
  // More than 128 slots of an expert, and no multiple of what any tile has.
  private static final List<Event> PROMPT = List.of(Event.rows(90, 61), Event.rows(1));

  private static final Experts FEW = new Experts(8, 2);
  private static final Experts MANY = new Experts(60, 8);

  private final List<Case> cases = new ArrayList<>();

  private MoeCases() {}

  static List<Case> all() {
    MoeCases cases = new MoeCases();
    for (Experts experts : EXPERTS) {
      for (Scoring scoring : Scoring.values()) {
        cases.route(experts, scoring, "", s -> s.x(experts.count, 2));
      }
    }
    for (Scoring scoring : Scoring.values()) {
      cases.route(FEW, scoring, "large", s -> s.x(FEW.count, 1e4f));
      cases.route(MANY, scoring, "large", s -> s.x(MANY.count, 40));
      cases.route(
          MANY,
          scoring,
          "ties",
          s -> s.x(MANY.count, (_, expert) -> expert % 3),
          s -> s.vector(MANY.count, expert -> expert % 4 * 0.25));
      cases.route(FEW, scoring, "all equal", s -> s.x(FEW.count, (_, _) -> -1));
      cases.route(
          FEW,
          scoring,
          "some NaN",
          s -> s.x(FEW.count, (token, expert) -> expert == token % 8 ? 1 : Float.NaN));
    }
    for (Scoring scoring : Scoring.values()) {
      for (Ranking ranking : Ranking.values()) {
        cases.grouped(MANY, scoring, new Grouping(6, 3, ranking));
        cases.grouped(MANY, scoring, new Grouping(15, 2, ranking));
        cases.grouped(new Experts(256, 8), scoring, new Grouping(8, 4, ranking));
        cases.grouped(new Experts(160, 6), scoring, new Grouping(8, 3, ranking));
        cases.grouped(new Experts(14, 2), scoring, new Grouping(7, 1, ranking));
      }
      cases.grouped(new Experts(9, 3), scoring, new Grouping(9, 4, Ranking.BEST));
    }
    for (int[] size : new int[][] {{1, 1}, {2, 33}, {8, 576}, {6, 257}, {3, 2048}}) {
      cases.sum(size[0], size[1], ONE);
      cases.sum(size[0], size[1], RAGGED);
    }
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      cases.bias(type, FEW, 33);
      cases.bias(type, MANY, 257);
    }
    for (int heads : new int[] {1, 7, 128}) {
      cases.heads(DataType.F32, heads, heads, 33, 19);
    }
    for (DataType type : List.of(DataType.F16, DataType.Q8_0)) {
      cases.heads(type, 7, 7, 64, 19);
      // Ids of the last heads are no expert's, and stand for the same one.
      cases.heads(type, 7, 3, 64, 19);
    }
    for (DataType type : ProductCases.WEIGHT_TYPES) {
      int in = 2 * Math.max(type.blockElements(), 32);
      cases.product(type, FEW, in, 19, ONE);
      cases.product(type, FEW, in, 19, RAGGED);
      cases.product(type, MANY, in, 17, RAGGED);
      cases.product(type, new Experts(1, 1), in, 5, RAGGED);
      cases.product(type, new Experts(4, 1), 512, 67, List.of(Event.rows(64)));
      cases.apart(type, FEW, in, 35, RAGGED);
      cases.apart(type, MANY, in, 5, List.of(Event.rows(1), Event.rows(64)));
      cases.oneExpert(type, in, 33, RAGGED);
      cases.product(type, new Experts(3, 2), oddColumns(type), 37, PROMPT);
      cases.glu(Activation.SILU, type, type, new Experts(3, 2), oddColumns(type), 21, PROMPT);
      for (Activation activation : ProductCases.activationsWith(type)) {
        cases.glu(activation, type, type, FEW, in, 17, RAGGED);
      }
      cases.glu(Activation.SILU, type, type, MANY, in, 33, List.of(Event.rows(1), Event.rows(64)));
      if (type.blockElements() == 1) {
        for (int odd : new int[] {1, 7, 33, 577}) {
          cases.product(type, FEW, odd, 9, RAGGED);
          cases.apart(type, FEW, odd, 6, RAGGED);
        }
      }
    }
    for (DataType type : List.of(DataType.BF16, DataType.Q5_0, DataType.Q4_K, DataType.Q6_K)) {
      cases.oneExpert(type, oddColumns(type), 150, PROMPT);
      cases.apart(type, new Experts(3, 2), oddColumns(type), 40, PROMPT);
      cases.product(type, new Experts(1, 1), oddColumns(type), 35, List.of(Event.rows(263)));
    }
    for (DataType type : ProductCases.RARE_TYPES) {
      cases.product(type, FEW, 256, 19, RAGGED);
      cases.glu(Activation.SILU, type, type, FEW, 256, 17, ONE);
    }
    cases.glu(Activation.SILU, DataType.Q4_K, DataType.Q6_K, FEW, 512, 40, RAGGED);
    cases.glu(Activation.SILU, DataType.Q4_K, DataType.Q6_K, FEW, 512, 40, PROMPT);
    cases.glu(Activation.GELU_TANH, DataType.F32, DataType.Q8_0, FEW, 64, 40, RAGGED);
    cases.glu(Activation.SILU, DataType.F16, DataType.F16, FEW, 33, 5, RAGGED);
    cases.gluApart();
    cases.idsBeyondTheExperts();
    cases.product(DataType.Q4_K, FEW, ProductCases.LONG, 17, List.of(Event.rows(2)));
    cases.glu(
        Activation.SILU,
        DataType.Q8_0,
        DataType.Q8_0,
        FEW,
        ProductCases.LONG,
        5,
        List.of(Event.rows(1)));
    return cases.cases;
  }

  /** Columns that are no whole number of what kernels take at once. */
  private static int oddColumns(DataType type) {
    return switch (type.blockElements()) {
      case 1 -> 200;
      case 32 -> 352;
      default -> 3 * type.blockElements();
    };
  }

  private void route(Experts experts, Scoring scoring, String name, Function<Scene, Value> logits) {
    // No two biases are equal, or scores that saturate would be told apart by their last bits.
    route(experts, scoring, name, logits, s -> s.between(-1, 1, experts.count));
  }

  private void route(
      Experts experts,
      Scoring scoring,
      String name,
      Function<Scene, Value> logits,
      Function<Scene, Weight> bias) {
    for (boolean renormalised : new boolean[] {true, false}) {
      for (boolean biased : new boolean[] {false, true}) {
        MoeRoute route = new MoeRoute(experts.used, scoring, renormalised, biased ? 2.5f : 1);
        String settings =
            (renormalised ? ", renormalised" : "") + (biased ? ", biased" : "") + " " + name;
        cases.add(
            new Case(
                "MoeRoute",
                List.of(DataType.F32),
                experts + ", " + scoring + settings,
                RAGGED,
                s -> {
                  Value x = logits.apply(s);
                  if (biased) {
                    s.check(route, x, bias.apply(s));
                  } else {
                    s.check(route, x);
                  }
                }));
      }
    }
  }

  private void grouped(Experts experts, Scoring scoring, Grouping grouping) {
    String named =
        experts
            + ", of "
            + grouping.used()
            + " of "
            + grouping.groups()
            + " groups by "
            + grouping.ranking()
            + ", "
            + scoring;
    for (boolean biased : new boolean[] {false, true}) {
      MoeRoute route = new MoeRoute(experts.used, scoring, biased, 2.5f, grouping);
      groupedRoute(
          route, named + (biased ? ", biased" : ""), biased, experts, s -> s.x(experts.count, 2));
    }
    MoeRoute route = new MoeRoute(experts.used, scoring, true, 1, grouping);
    groupedRoute(
        route, named + ", ties", false, experts, s -> s.x(experts.count, (_, e) -> e % 3 - 1));
    groupedRoute(
        route,
        named + ", some NaN",
        false,
        experts,
        s -> s.x(experts.count, (token, e) -> (e + token) % 4 == 0 ? e % 5 : Float.NaN));
  }

  private void groupedRoute(
      MoeRoute route, String name, boolean biased, Experts experts, Function<Scene, Value> logits) {
    cases.add(
        new Case(
            "MoeRoute",
            List.of(DataType.F32),
            name,
            RAGGED,
            s -> {
              Value x = logits.apply(s);
              if (biased) {
                s.check(route, x, s.between(-1, 1, experts.count));
              } else {
                s.check(route, x);
              }
            }));
  }

  private void sum(int used, int columns, List<Event> events) {
    cases.add(
        new Case(
            "MoeSum",
            List.of(DataType.F32),
            used + " slots of " + columns + rows(events),
            events,
            s -> s.check(new MoeSum(), s.x(used * columns), s.x(used))));
  }

  private void bias(DataType type, Experts experts, int columns) {
    cases.add(
        new Case(
            "MoeBias",
            List.of(type),
            experts + " of " + columns,
            RAGGED,
            s ->
                s.check(
                    new MoeBias(),
                    s.x(experts.used * columns),
                    s.weight(type, experts.count, columns),
                    ids(s, experts))));
  }

  /** Each head has a matrix of its own. */
  private void heads(DataType type, int heads, int matrices, int in, int out) {
    cases.add(
        new Case(
            type == DataType.F32 ? "SlotIds" : "MoeMatMul",
            List.of(type),
            heads
                + " heads, "
                + (matrices < heads ? matrices + " matrices, " : "")
                + in
                + " → "
                + out,
            RAGGED,
            s ->
                s.check(
                    new MoeMatMul(),
                    s.x(heads * in),
                    s.weight(type, matrices, out, in),
                    s.check(new SlotIds(heads), s.positions()).getFirst())));
  }

  private void product(DataType type, Experts experts, int in, int out, List<Event> events) {
    cases.add(
        new Case(
            "MoeMatMul",
            List.of(type),
            experts + ", " + in + " → " + out + rows(events),
            events,
            s ->
                s.check(
                    new MoeMatMul(),
                    s.x(in),
                    s.weight(type, experts.count, out, in),
                    ids(s, experts))));
  }

  /** Each slot has its own part of x. */
  private void apart(DataType type, Experts experts, int in, int out, List<Event> events) {
    cases.add(
        new Case(
            "MoeMatMul",
            List.of(type),
            experts + ", each of its own " + in + " → " + out + rows(events),
            events,
            s ->
                s.check(
                    new MoeMatMul(),
                    s.x(experts.used * in),
                    s.weight(type, experts.count, out, in),
                    ids(s, experts))));
  }

  /** All rows go to the last two experts, and the others have none. */
  private void oneExpert(DataType type, int in, int out, List<Event> events) {
    cases.add(
        new Case(
            "MoeMatMul",
            List.of(type),
            FEW
                + ", always the same, "
                + in
                + " → "
                + out
                + (events.equals(RAGGED) ? "" : rows(events)),
            events,
            s -> {
              Value logits = s.x(FEW.count, (_, expert) -> expert);
              MoeRoute route = new MoeRoute(FEW.used, Scoring.SOFTMAX, true, 1);
              s.check(
                  new MoeMatMul(),
                  s.x(in),
                  s.weight(type, FEW.count, out, in),
                  s.apply(route, logits).getFirst());
            }));
  }

  private void glu(
      Activation activation,
      DataType gate,
      DataType up,
      Experts experts,
      int in,
      int out,
      List<Event> events) {
    cases.add(
        new Case(
            "MoeGluMatMul",
            gate == up ? List.of(gate) : List.of(gate, up),
            experts + ", " + in + " → " + out + " " + activation + rows(events),
            events,
            s ->
                s.check(
                    new MoeGluMatMul(activation),
                    s.x(in, 0.2f),
                    s.weight(gate, experts.count, out, in),
                    s.weight(up, experts.count, out, in),
                    ids(s, experts))));
  }

  private void gluApart() {
    cases.add(
        new Case(
            "MoeGluMatMul",
            List.of(DataType.Q8_0),
            FEW + ", each of its own, ragged",
            RAGGED,
            s ->
                s.check(
                    new MoeGluMatMul(Activation.SILU),
                    s.x(FEW.used * 64, 0.2f),
                    s.weight(DataType.Q8_0, FEW.count, 21, 64),
                    s.weight(DataType.Q8_0, FEW.count, 21, 64),
                    ids(s, FEW))));
  }

  /** No device reads outside of the weights, whatever the ids are. */
  private void idsBeyondTheExperts() {
    for (List<Event> events : List.of(ONE, RAGGED)) {
      cases.add(
          new Case(
              "MoeMatMul",
              List.of(DataType.F32),
              "ids beyond the experts" + rows(events),
              events,
              s ->
                  s.check(
                      new MoeMatMul(), s.x(64), s.weight(DataType.F32, 5, 19, 64), s.positions())));
    }
  }

  private static Operand ids(Scene s, Experts experts) {
    MoeRoute route = new MoeRoute(experts.used, Scoring.SOFTMAX, true, 1);
    return s.apply(route, s.x(experts.count)).getFirst();
  }

  private static String rows(List<Event> events) {
    return events.size() == 1 || events.equals(PROMPT)
        ? ", " + events.getFirst().describe() + " rows"
        : ", ragged";
  }
}
