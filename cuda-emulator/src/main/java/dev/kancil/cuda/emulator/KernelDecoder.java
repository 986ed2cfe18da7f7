package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Function;
import dev.kancil.cuda.emulator.PtxModule.Statement;
import dev.kancil.cuda.emulator.PtxModule.Variable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decodes a kernel. The functions that it calls become part of it, each call with registers and
 * variables of its own; so there is no recursion.
 */
final class KernelDecoder {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_CALLS = 1 << 12;
  private static final int MAX_INSTRUCTIONS = 1 << 20;
  private static final int MAX_BYTES = 1 << 20;

  /** One inlined call; 0 is the kernel itself. */
  private final class Frame {
    final int number = frames++;
    final List<Branch> branches = new ArrayList<>();
    final List<Form> branchForms = new ArrayList<>();
  }

  private record Local(int frame, Variable variable) {}

  final Rows rows = new Rows();
  private final PtxModule module;
  private final Function kernel;
  private final Map<String, Long> globals;
  private final List<Instruction> code = new ArrayList<>();
  private final Map<Local, Integer> locals = new HashMap<>();
  private final Map<Variable, Integer> shared = new HashMap<>();
  private final Map<Variable, Integer> parameters = new HashMap<>();
  private int frames;
  private Frame frame = new Frame();
  private int depth;
  private int localBytes;
  private int sharedBytes;
  private int sharedAlignment = 16;
  private int parameterBytes;
  private int granule = 4;
  private boolean inOrder;
  private boolean hasMbarriers;
  private final List<Integer> productRows = new ArrayList<>();
  private final Map<Integer, Integer> productPlaces = new HashMap<>();

  private KernelDecoder(PtxModule module, Function kernel, Map<String, Long> globals) {
    this.module = module;
    this.kernel = kernel;
    this.globals = globals;
  }

  /**
   * @param globals addresses of the module's variables
   * @throws PtxException for whatever is not known
   */
  static Kernel decode(PtxModule module, Function kernel, Map<String, Long> globals) {
    return new KernelDecoder(module, kernel, globals).decode();
  }

  private Kernel decode() {
    for (Variable parameter : kernel.parameters()) {
      int offset = aligned(parameterBytes, parameter.alignment());
      parameters.put(parameter, offset);
      parameterBytes = end(offset, parameter);
    }
    decodeBody(kernel);
    code.add(new ControlInstructions.Exit());
    int staticShared = aligned(sharedBytes, sharedAlignment);
    return new Kernel(
        kernel.name(),
        code.toArray(Instruction[]::new),
        rows,
        parameterBytes,
        staticShared,
        aligned(localBytes, 16),
        kernel.maxThreads() == 0 ? 1024 : kernel.maxThreads(),
        inOrder,
        granule,
        hasMbarriers,
        productRows.stream().mapToInt(Integer::intValue).toArray());
  }

  private void decodeBody(Function function) {
    List<Statement> statements = function.statements();
    if (statements == null) {
      throw new PtxException(function.line(), function.name() + " has no body");
    }
    int[] places = new int[statements.size() + 1];
    for (int i = 0; i < statements.size(); i++) {
      places[i] = code.size();
      decode(statements.get(i));
    }
    places[statements.size()] = code.size();
    for (int i = 0; i < frame.branches.size(); i++) {
      frame.branches.get(i).resolve(frame.branchForms.get(i), places);
    }
  }

  private void decode(Statement statement) {
    Form form = new Form(statement, this);
    if (form.mnemonic.equals("call")) {
      inline(form);
      return;
    }
    Instruction instruction =
        form.mnemonic.equals("ret") && depth > 0 ? Branch.toEnd(form) : Decoders.decode(form);
    if (instruction instanceof Branch branch) {
      frame.branches.add(branch);
      frame.branchForms.add(form);
    }
    add(form, instruction);
  }

  private void add(Form form, Instruction instruction) {
    Statement statement = form.statement;
    String file = module.files().getOrDefault(statement.sourceFile(), "source");
    instruction.place(statement, file);
    if (statement.guard() != null) {
      Form.Predicate guard = form.predicate(statement.guard(), statement.guardNegated());
      instruction.guard = guard.index();
      instruction.guardNegated = guard.negated();
    }
    if (code.size() >= MAX_INSTRUCTIONS) {
      throw form.error(kernel.name() + " is too long");
    }
    code.add(instruction);
  }

  private void inline(Form form) {
    form.has("uni");
    form.finish(1, 3);
    int name = form.operand(0) instanceof Operand.Vector ? 1 : 0;
    if (!(form.operand(name) instanceof Operand.Name(String callee, _, _))) {
      throw form.error("a call of no function");
    }
    Function function = module.functions().get(callee);
    if (function == null || function.statements() == null || function.isKernel()) {
      throw form.error("a call of " + callee + ", which is not in the module");
    }
    if (frames > MAX_CALLS) {
      throw form.error(kernel.name() + " calls too many functions");
    }
    if (++depth > MAX_DEPTH) {
      throw form.error("calls nest too deeply: recursion is not supported");
    }
    Branch around = null;
    if (form.statement.guard() != null) {
      around = new Branch(true);
      add(form, around);
      around.guardNegated = !around.guardNegated;
    }
    Frame caller = frame;
    Frame called = new Frame();
    bind(form, name == 1 ? form.operand(0) : null, function.results(), caller, called);
    bind(
        form,
        name + 1 < form.operands() ? form.operand(name + 1) : null,
        function.parameters(),
        caller,
        called);
    frame = called;
    decodeBody(function);
    frame = caller;
    depth--;
    if (around != null) {
      around.goTo(code.size());
    }
  }

  private void bind(
      Form form, @Nullable Operand given, List<Variable> formal, Frame caller, Frame called) {
    List<Operand> actual = given instanceof Operand.Vector(var elements) ? elements : List.of();
    if (actual.size() != formal.size()) {
      throw form.error("a call with " + actual.size() + " arguments for " + formal.size());
    }
    for (int i = 0; i < formal.size(); i++) {
      if (!(actual.get(i) instanceof Operand.Name(String name, _, _))
          || !(form.statement.scope().find(name) instanceof Scope.Memory(Variable variable))
          || variable.space() != Space.PARAM
          || variable.bytes() != formal.get(i).bytes()) {
        throw form.error("an argument of a call must be a .param variable of the same size");
      }
      int place = local(caller, variable);
      locals.put(new Local(called.number, formal.get(i)), place);
    }
  }

  /** What the text is for. */
  PtxTarget target() {
    return module.target();
  }

  int register(Scope.Register register) {
    return rows.register(frame.number, register);
  }

  /** The space that a variable lies in: parameters of functions are local memory. */
  Space spaceOf(Variable variable) {
    return variable.space() == Space.PARAM && !parameters.containsKey(variable)
        ? Space.LOCAL
        : variable.space();
  }

  /** A row with a variable's address in its space. */
  int addressRow(Form form, Variable variable, long offset, PtxType type) {
    if (type.bits < 32 || !type.isInteger()) {
      throw form.error("the address of " + variable.name() + " is not of type " + type.text());
    }
    Rows.Content content =
        variable.space() == Space.SHARED && variable.bytes() == 0
            ? dynamicShared(variable, offset)
            : new Rows.Constant(address(form, variable) + offset);
    return type.isLong() ? rows.longs(content) : rows.ints(content);
  }

  private Rows.Content dynamicShared(Variable variable, long offset) {
    sharedAlignment = Math.max(sharedAlignment, variable.alignment());
    return new Rows.DynamicShared(offset);
  }

  private long address(Form form, Variable variable) {
    return switch (spaceOf(variable)) {
      case SHARED -> {
        Integer known = shared.get(variable);
        if (known == null) {
          known = aligned(sharedBytes, variable.alignment());
          sharedBytes = end(known, variable);
          shared.put(variable, known);
        }
        yield known;
      }
      case LOCAL -> local(frame, variable);
      case PARAM -> Objects.requireNonNull(parameters.get(variable));
      case GLOBAL, CONST -> {
        Long known = globals.get(variable.name());
        if (known == null) {
          throw form.error(variable.name() + " is declared but not in the module");
        }
        yield known;
      }
      case GENERIC -> throw form.error("a variable in no space");
    };
  }

  private int local(Frame owner, Variable variable) {
    Local key = new Local(owner.number, variable);
    Integer known = locals.get(key);
    if (known == null) {
      known = aligned(localBytes, variable.alignment());
      localBytes = end(known, variable);
      locals.put(key, known);
    }
    return known;
  }

  private static int aligned(int offset, int alignment) {
    return Math.ceilDiv(offset, alignment) * alignment;
  }

  private static int end(int offset, Variable variable) {
    if (offset + variable.bytes() > MAX_BYTES) {
      throw new PtxException(variable.line(), variable.name() + " is too large");
    }
    return (int) (offset + variable.bytes());
  }

  /** An access to shared memory, or one that may be. */
  void noteAccess(Space space, int bytes) {
    if (space == Space.SHARED || space == Space.GENERIC) {
      granule = Math.min(granule, bytes);
    }
  }

  /** A register that products of warpgroups use; returns its place among them. */
  int noteProductRow(int row) {
    return productPlaces.computeIfAbsent(
        row,
        _ -> {
          productRows.add(row);
          return productRows.size() - 1;
        });
  }

  /** An mbarrier, or a copy in bulk. */
  void noteMbarriers() {
    hasMbarriers = true;
  }

  /** An atomic operation outside of shared memory. */
  void noteAtomic() {
    inOrder = true;
  }
}
