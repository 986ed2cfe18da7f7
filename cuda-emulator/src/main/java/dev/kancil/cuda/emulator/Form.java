package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement while it is decoded: modifiers are taken one by one, so that one that nobody took is
 * an error; operands are asked for with the type that they must have.
 */
final class Form {
  /** Which row, of longs or of ints. */
  record Row(int index, boolean isLong) {}

  /** A row of predicates, or what it is not. */
  record Predicate(int index, boolean negated) {
    int value(Warp warp) {
      int value = warp.predicates[index];
      return negated ? ~value : value;
    }
  }

  final Statement statement;
  final KernelDecoder decoder;
  final String mnemonic;
  private final List<String> modifiers;

  Form(Statement statement, KernelDecoder decoder) {
    this.statement = statement;
    this.decoder = decoder;
    List<String> parts = Arrays.asList(statement.opcode().split("\\.", -1));
    mnemonic = parts.getFirst();
    modifiers = new ArrayList<>(parts.subList(1, parts.size()));
  }

  PtxException error(String message) {
    return new PtxException(statement.line(), message);
  }

  PtxException unknown() {
    return error("unknown instruction " + statement.opcode());
  }

  /** Refuses the instruction where the text is for a device that does not have it. */
  void requires(int target) {
    if (decoder.target().capability() < target) {
      throw needs("sm_" + target);
    }
  }

  /** Refuses the instruction but in a text for one device alone, as {@code sm_90a}. */
  void requiresExactly(int target) {
    PtxTarget needed = new PtxTarget(target, true);
    if (!decoder.target().equals(needed)) {
      throw needs(needed.toString());
    }
  }

  private PtxException needs(String target) {
    return error(statement.opcode() + " needs " + target + ", the text is for " + decoder.target());
  }

  /** Takes a modifier, if it is there. */
  boolean has(String modifier) {
    return modifiers.remove(modifier);
  }

  /** Takes the first modifier. */
  String first() {
    if (modifiers.isEmpty()) {
      throw unknown();
    }
    return modifiers.removeFirst();
  }

  /** Takes the first of some modifiers that is there; null if none is. */
  @Nullable String anyOf(String... choices) {
    for (String choice : choices) {
      if (has(choice)) {
        return choice;
      }
    }
    return null;
  }

  /** Takes the first modifier that names a type. */
  PtxType type() {
    for (String modifier : modifiers) {
      PtxType type = PtxType.named(modifier);
      if (type != null) {
        modifiers.remove(modifier);
        return type;
      }
    }
    throw unknown();
  }

  Rounding rounding() {
    String name = anyOf("rn", "rz", "rm", "rp");
    return name == null ? Rounding.NEAREST : Rounding.named(name);
  }

  /** Takes the state space; generic if none is named. */
  Space space() {
    for (String modifier : modifiers) {
      Space space = Space.named(modifier);
      if (space != null) {
        modifiers.remove(modifier);
        return space;
      }
    }
    return Space.GENERIC;
  }

  /** Takes all modifiers that only advise the hardware. */
  void ignoreHints() {
    modifiers.removeIf(
        modifier ->
            modifier.matches(
                "(L1|L2)::.*|level::.*|c[agsv]|wb|wt|lu|nc|relaxed|weak|volatile|acquire|release|acq_rel|cta|cluster|gpu|sys"));
  }

  /** All modifiers must have been taken, and there must be so many operands. */
  void finish(int operands) {
    finish(operands, operands);
  }

  void finish(int fewest, int most) {
    if (!modifiers.isEmpty()) {
      throw unknown();
    }
    int count = statement.operands().size();
    if (count < fewest || count > most) {
      throw error(statement.opcode() + " with " + count + " operands");
    }
  }

  int operands() {
    return statement.operands().size();
  }

  Operand operand(int index) {
    if (index >= operands()) {
      throw error(statement.opcode() + " with " + operands() + " operands");
    }
    return statement.operands().get(index);
  }

  /** A whole number that is no register. */
  int smallNumber(int index) {
    if (operand(index) instanceof Operand.Whole(long value) && value >= 0 && value < 1 << 16) {
      return (int) value;
    }
    throw error("a small whole number was expected");
  }

  /** The row of a source operand that has exactly the type's size. */
  int source(int index, PtxType type) {
    return source(operand(index), type);
  }

  int source(Operand operand, PtxType type) {
    return switch (operand) {
      case Operand.Name name -> named(name, type);
      case Operand.Whole(long value) when type.isInteger() || type.kind == PtxType.Kind.PACKED ->
          constant(value, type);
      case Operand.Floating number -> constant(bits(number, type), type);
      default -> throw error("not an operand of type " + type.text());
    };
  }

  private long bits(Operand.Floating number, PtxType type) {
    return switch (type) {
      case F32, B32 -> number.singleBits();
      case F64, B64 -> Double.doubleToRawLongBits(number.value());
      default -> throw error("a floating-point constant where the type is " + type.text());
    };
  }

  private int constant(long value, PtxType type) {
    Rows rows = decoder.rows;
    if (type.isLong()) {
      return rows.longs(new Rows.Constant(value));
    }
    long masked = type.bits == 32 ? (int) value : value & (1L << type.bits) - 1;
    return rows.ints(new Rows.Constant(masked));
  }

  private int named(Operand.Name name, PtxType type) {
    Scope.Meaning meaning = statement.scope().find(name.text());
    if (meaning instanceof Scope.Register register && !name.negated() && name.offset() == 0) {
      check(register, type);
      return decoder.register(register);
    }
    if (meaning instanceof Scope.Memory(PtxModule.Variable variable)) {
      return decoder.addressRow(this, variable, name.offset(), type);
    }
    Special special = meaning == null ? Special.named(name.text()) : null;
    if (special != null && type.bits == 32) {
      return decoder.rows.ints(new Rows.SpecialRegister(special));
    }
    throw error("unknown operand " + name.text() + " of type " + type.text());
  }

  private void check(Scope.Register register, PtxType type) {
    PtxType actual = register.type();
    boolean fits = actual.bits == type.bits && (actual == PtxType.PRED) == (type == PtxType.PRED);
    boolean mixed =
        actual.kind == PtxType.Kind.FLOAT && (type.isSigned() || type.kind == PtxType.Kind.UNSIGNED)
            || type.kind == PtxType.Kind.FLOAT
                && (actual.isSigned() || actual.kind == PtxType.Kind.UNSIGNED);
    if (!fits || mixed) {
      throw error(register.name() + " is of type " + actual.text() + ", not " + type.text());
    }
  }

  /** The row of a result. */
  int target(int index, PtxType type) {
    return target(operand(index), type);
  }

  int target(Operand operand, PtxType type) {
    if (operand instanceof Operand.Name name) {
      return target(name.text(), type);
    }
    throw error("a result must be a register");
  }

  private int target(String name, PtxType type) {
    if (name.equals("_")) {
      return decoder.register(new Scope.Register(statement.scope(), "_" + type.text(), type));
    }
    if (statement.scope().find(name) instanceof Scope.Register register) {
      check(register, type);
      return decoder.register(register);
    }
    throw error("unknown register " + name);
  }

  /** A register at least as wide as the type, as loads, stores and conversions take. */
  Row wide(Operand operand, PtxType type, boolean isTarget) {
    if (operand instanceof Operand.Name name
        && statement.scope().find(name.text()) instanceof Scope.Register register) {
      PtxType actual = register.type();
      if (actual == PtxType.PRED || actual.bits < type.bits) {
        throw error(register.name() + " of type " + actual.text() + " is too small");
      }
      return new Row(decoder.register(register), actual.isLong());
    }
    return new Row(isTarget ? target(operand, type) : source(operand, type), type.isLong());
  }

  /** The size of a register, or of the type where the operand is none. */
  int registerBits(Operand operand, PtxType type) {
    return operand instanceof Operand.Name name
            && statement.scope().find(name.text()) instanceof Scope.Register register
        ? register.type().bits
        : type.bits;
  }

  boolean isPredicate(int index) {
    return operand(index) instanceof Operand.Name name
        && statement.scope().find(name.text()) instanceof Scope.Register register
        && register.type() == PtxType.PRED;
  }

  Predicate predicate(int index) {
    return predicate(operand(index));
  }

  Predicate predicate(Operand operand) {
    return switch (operand) {
      case Operand.Whole(long value) -> new Predicate(decoder.rows.predicate(value != 0), false);
      case Operand.Name name -> predicate(name.text(), name.negated());
      default -> throw error("a predicate was expected");
    };
  }

  Predicate predicate(String name, boolean negated) {
    return new Predicate(target(name, PtxType.PRED), negated);
  }
}
