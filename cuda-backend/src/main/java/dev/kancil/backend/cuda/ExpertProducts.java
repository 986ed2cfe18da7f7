package dev.kancil.backend.cuda;

import dev.kancil.backend.StepLimits;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.backend.accelerator.LaunchMaker;
import dev.kancil.backend.accelerator.ProgramMemory;
import dev.kancil.backend.accelerator.Rooms;
import dev.kancil.backend.accelerator.Work;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.MoeMatMul;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Products of slots with the matrices of their experts, which lie in tiles. Where a step leaves an
 * expert few slots, each is multiplied by itself and nothing is rounded; else the device sorts them
 * by expert, and those of one expert share its weights as tokens do.
 */
final class ExpertProducts {
  /**
   * Slots of an expert, on average over those that a step uses, up to which they are not sorted:
   * sorted ones take their weights from memory once, others once a slot, if mostly from the cache.
   */
  private static final int FEW_SLOTS = 2;

  private final LaunchMaker maker;
  private final ProgramMemory program;
  private final CudaTraits traits;
  private final Rooms rooms;
  private final StepLimits limits;
  private final Function<Value, DeviceBuffer> places;
  // Nodes are lowered in running order, so this is what the rooms hold when the next one runs.
  private @Nullable Sorted sorted;

  /** Which slots were sorted last, and into tiles of which sizes where a step has more of them. */
  private record Sorted(Value ids, SlotTiles tiles, List<Integer> tileSlots) {}

  ExpertProducts(LaunchMaker maker, ProgramMemory program, CudaTraits traits) {
    this.maker = maker;
    this.program = program;
    this.traits = traits;
    rooms = program.rooms();
    limits = program.limits();
    places = program.places();
  }

  /**
   * What a launch multiplies.
   *
   * @param factors one, or gate and up, of one type
   * @param activation of gate and up, as defines; else none
   * @param y a value of the product's size
   * @param parts rows of the product's columns in a row of x
   */
  private record Slots(
      Value x,
      Value ids,
      Value y,
      List<Factor> factors,
      Map<String, String> activation,
      SlotTiles tiles,
      int parts) {
    /** Slots, one after the other, that share a row. */
    int slotsOfInput() {
      return tiles.used() / parts;
    }

    Map<String, String> defines() {
      Map<String, String> defines = Factor.defines(factors);
      defines.putAll(activation);
      defines.put("EXPERTS", String.valueOf(tiles.experts()));
      return defines;
    }
  }

  /**
   * A node's product, or gate and up with their activation.
   *
   * @param factors one, or two of one type
   * @param activation of gate and up, as defines; else none
   */
  Work of(Node node, List<Factor> factors, Map<String, String> activation) {
    Value x = node.value(0);
    Value ids = node.value(node.inputs().size() - 1);
    Weight weight = node.weight(1);
    int used = ids.type().columns();
    Slots slots =
        new Slots(
            x,
            ids,
            node.output(),
            factors,
            activation,
            new SlotTiles(Math.toIntExact(weight.shape().dimension(0)), used),
            MoeMatMul.isApart(x, weight) ? used : 1);
    if (slots.tiles.experts() > SlotTiles.MOST_EXPERTS) {
      return apart(slots);
    }
    return Work.byRows(
        slots.tiles.mostRows(FEW_SLOTS),
        slots.y,
        limits,
        () -> apart(slots),
        () -> together(slots));
  }

  /** Each slot by itself. */
  private Work apart(Slots slots) {
    List<Argument> arguments = new ArrayList<>();
    arguments.add(buffer(slots.x));
    arguments.add(buffer(slots.ids));
    arguments.add(new Argument.Whole(slots.tiles.used()));
    arguments.add(new Argument.Whole(slots.slotsOfInput()));
    arguments.addAll(Factor.arguments(slots.factors));
    Factor first = slots.factors.getFirst();
    List<Work> launches = new ArrayList<>();
    for (MatVecShape.Slice slice : MatVecShape.slices(slots.factors, traits)) {
      Map<String, String> defines = slots.defines();
      defines.putAll(slice.defines(first.matrix().columns()));
      int blocks = slice.shape().blocks(TileFormat.tiles(first.rows()), traits);
      Grid grid = slice.shape().grid(blocks, slots.tiles.used());
      launches.add(maker.launch("mat_vec.h", "mat_vec", defines, arguments, slots.y, grid));
    }
    return launches.size() == 1 ? launches.getFirst() : new Work.Sequence(launches);
  }

  /** Sorted by expert, if they are not, then rounded, then those of a tile together. */
  private Work together(Slots slots) {
    List<ExpertWay> ways = ExpertWay.of(slots.factors, slots.tiles, traits);
    Sorted wanted =
        new Sorted(slots.ids, slots.tiles, ways.stream().map(ExpertWay::tileSlots).toList());
    boolean isSorted = wanted.equals(sorted);
    sorted = wanted;
    RoundedActivations rounded =
        RoundedActivations.of(
            new ProductInput.Given(slots.x, places.apply(slots.x)),
            slots.parts,
            slots.factors.getFirst(),
            slots.y,
            maker,
            program);
    return new Work.Sequence(List.of(rounded.work(), byRows(slots, ways, isSorted, rounded)));
  }

  private Work byRows(
      Slots slots, List<ExpertWay> ways, boolean isSorted, RoundedActivations rounded) {
    ExpertWay way = ways.getFirst();
    if (ways.size() == 1) {
      return tiled(slots, way, isSorted, rounded);
    }
    return Work.byRows(
        slots.tiles.mostRows(way.mostSlots()),
        slots.y,
        limits,
        () -> tiled(slots, way, isSorted, rounded),
        () -> byRows(slots, ways.subList(1, ways.size()), isSorted, rounded));
  }

  private Work tiled(Slots slots, ExpertWay way, boolean isSorted, RoundedActivations rounded) {
    Map<String, String> defines = slots.defines();
    defines.putAll(way.shape());
    DeviceBuffer tiles = tileRoom(slots, way.tileSlots());
    DeviceBuffer order = orderRoom(slots);
    List<Argument> arguments = new ArrayList<>(rounded.arguments());
    arguments.add(new Argument.Buffer(tiles));
    arguments.add(new Argument.Buffer(order));
    arguments.add(new Argument.Whole(slots.slotsOfInput()));
    arguments.addAll(Factor.arguments(slots.factors));
    String file = way.kernel() + ".h";
    Work product = maker.launch(file, way.kernel(), defines, arguments, slots.y, way.grid());
    return isSorted
        ? product
        : new Work.Sequence(List.of(sort(slots, way.tileSlots(), tiles, order), product));
  }

  private Work sort(Slots slots, int tileSlots, DeviceBuffer tiles, DeviceBuffer order) {
    int warps = slots.tiles.warps();
    return maker.launch(
        "moe_slots.h",
        "moe_slots",
        Map.of("EXPERTS", String.valueOf(slots.tiles.experts()), "WARPS", String.valueOf(warps)),
        List.of(
            buffer(slots.ids),
            new Argument.Buffer(tiles),
            new Argument.Buffer(order),
            new Argument.Whole(slots.tiles.used()),
            new Argument.Whole(tileSlots)),
        slots.y,
        Grid.of(32L * warps, rows -> Math.min(rows, 1)));
  }

  /** How many tiles there are, then these: four numbers each. */
  private DeviceBuffer tileRoom(Slots slots, int tileSlots) {
    long most = 1 + slots.tiles.most(mostRows(slots), tileSlots);
    return rooms.room("tiles of slots", 4 * Integer.BYTES * most);
  }

  private DeviceBuffer orderRoom(Slots slots) {
    return rooms.room("slots by expert", Integer.BYTES * slots.tiles.slots(mostRows(slots)));
  }

  private int mostRows(Slots slots) {
    return limits.rows(slots.y.type().rows());
  }

  private Argument buffer(Value value) {
    return new Argument.Buffer(places.apply(value));
  }
}
