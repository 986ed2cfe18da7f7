package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Variable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code ld}, {@code st}, {@code atom}, {@code red}, {@code prefetch}. */
final class MemoryDecoder {
  private MemoryDecoder() {}

  /**
   * Where an access goes.
   *
   * @param offset from the base
   */
  record Place(Space space, Form.Row base, long offset) {}

  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "ld", "ldu" -> load(form);
      case "st" -> store(form);
      case "prefetch", "prefetchu" -> {
        form.space();
        form.anyOf("L1", "L2");
        form.ignoreHints();
        form.finish(1);
        yield new ControlInstructions.Nothing();
      }
      default -> AtomicInstruction.decode(form);
    };
  }

  private static int vector(Form form) {
    String vector = form.anyOf("v2", "v4", "v8");
    return vector == null ? 1 : vector.charAt(1) - '0';
  }

  private static Instruction load(Form form) {
    Space space = form.space();
    int elements = vector(form);
    boolean hint = form.has("L2::cache_hint");
    form.ignoreHints();
    PtxType type = form.type();
    form.finish(hint ? 3 : 2);
    if (hint) {
      form.source(2, PtxType.B64);
    }
    Place place = place(form, form.operand(1), space);
    List<Operand> targets = operands(form, form.operand(0), elements);
    form.decoder.noteAccess(place.space(), type.bytes() * elements);
    List<LoadInstruction.Target> rows = new ArrayList<>();
    for (Operand target : targets) {
      rows.add(
          new LoadInstruction.Target(
              form.wide(target, type, true), form.registerBits(target, type)));
    }
    return new LoadInstruction(place, type(form, type, elements), rows);
  }

  private static Instruction store(Form form) {
    Space space = form.space();
    int elements = vector(form);
    boolean hint = form.has("L2::cache_hint");
    form.ignoreHints();
    PtxType type = form.type();
    form.finish(hint ? 3 : 2);
    if (hint) {
      form.source(2, PtxType.B64);
    }
    Place place = place(form, form.operand(0), space);
    if (place.space() == Space.CONST || place.space() == Space.PARAM) {
      throw form.error("a store into " + place.space().name().toLowerCase(Locale.ROOT));
    }
    form.decoder.noteAccess(place.space(), type.bytes() * elements);
    List<Form.Row> rows = new ArrayList<>();
    for (Operand source : operands(form, form.operand(1), elements)) {
      rows.add(form.wide(source, type, false));
    }
    return new StoreInstruction(place, type(form, type, elements), rows);
  }

  private static PtxType type(Form form, PtxType type, int elements) {
    if (type == PtxType.PRED || type.kind == PtxType.Kind.PACKED || type.bytes() * elements > 32) {
      throw form.unknown();
    }
    if (type.bytes() * elements > 16) {
      form.requires(100);
    }
    return type;
  }

  private static List<Operand> operands(Form form, Operand operand, int elements) {
    List<Operand> operands =
        operand instanceof Operand.Vector(List<Operand> parts) ? parts : List.of(operand);
    if (operands.size() != elements) {
      throw form.error(operands.size() + " registers for " + elements + " elements");
    }
    return operands;
  }

  /** An address, and the space of the variable that it names. */
  static Place place(Form form, Operand operand, Space named) {
    if (!(operand instanceof Operand.Address(Operand base, long offset))) {
      throw form.error("an address in brackets was expected");
    }
    if (base instanceof Operand.Name(String name, _, _)) {
      Scope.Meaning meaning = form.statement.scope().find(name);
      if (meaning instanceof Scope.Memory(Variable variable)) {
        return ofVariable(form, variable, offset, named);
      }
      if (meaning instanceof Scope.Register register) {
        PtxType type = register.type().isLong() ? PtxType.B64 : PtxType.B32;
        boolean narrow = named == Space.SHARED || named == Space.LOCAL || named == Space.PARAM;
        if (!type.isLong() && !narrow) {
          throw form.error(name + " is too small for an address");
        }
        return new Place(named, new Form.Row(form.source(base, type), type.isLong()), offset);
      }
      throw form.error("unknown address " + name);
    }
    return new Place(named, new Form.Row(form.source(base, PtxType.B64), true), offset);
  }

  private static Place ofVariable(Form form, Variable variable, long offset, Space named) {
    Space space = form.decoder.spaceOf(variable);
    boolean isParameter = variable.space() == Space.PARAM && named == Space.PARAM;
    if (named != space && named != Space.GENERIC && !isParameter) {
      throw form.error(variable.name() + " is not in the space that is named");
    }
    int row = form.decoder.addressRow(form, variable, 0, PtxType.B64);
    return new Place(space, new Form.Row(row, true), offset);
  }
}
