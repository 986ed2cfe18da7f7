package dev.kancil.backend.cpu;

import dev.kancil.InvalidRequestException;
import dev.kancil.backend.UserCache;
import dev.kancil.kernels.NativeKernels;
import dev.kancil.tensor.Codebook;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Kernels in C ({@code kernels/cpu}), for the best instruction set that they are compiled for and
 * the processor has. The property {@code kancil.cpu.kernels} names another set, or {@code vector},
 * for none.
 */
// Native access is what this class is for.
@SuppressWarnings("restricted")
final class NativeLibrary {
  static final String PROPERTY = "kancil.cpu.kernels";
  private static final String NONE = "vector";

  private static final Set<DataType> TYPES =
      Set.of(
          DataType.F32,
          DataType.F16,
          DataType.BF16,
          DataType.Q4_0,
          DataType.Q4_1,
          DataType.Q5_0,
          DataType.Q5_1,
          DataType.Q8_0,
          DataType.IQ4_NL,
          DataType.MXFP4,
          DataType.Q4_K,
          DataType.Q5_K,
          DataType.Q6_K,
          DataType.Q2_K,
          DataType.Q3_K,
          DataType.IQ4_XS,
          DataType.IQ3_S,
          DataType.IQ3_XXS,
          DataType.IQ2_S,
          DataType.IQ2_XS,
          DataType.IQ2_XXS,
          DataType.IQ1_M,
          DataType.IQ1_S,
          DataType.TQ1_0,
          DataType.TQ2_0,
          DataType.NVFP4,
          DataType.SCALED_F8);

  /** What this process has: a library or the reason why not. */
  record Found(@Nullable NativeLibrary library, @Nullable String missingBecause) {}

  // By what the property named.
  private static final Map<String, Found> FOUND = new ConcurrentHashMap<>();

  private final InstructionSet set;
  private final SymbolLookup symbols;
  private final Map<String, MethodHandle> functions = new ConcurrentHashMap<>();
  private final MethodHandle round;
  private final MethodHandle roundBytes;
  // Bound when they are asked for, which takes time: a model has few types.
  private final Map<DataType, TileProduct> products = new ConcurrentHashMap<>();

  private NativeLibrary(InstructionSet set, SymbolLookup symbols) {
    this.set = set;
    this.symbols = symbols;
    round =
        function(
            "round",
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    roundBytes =
        function(
            "round_bytes",
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
  }

  /**
   * The library, which stays loaded, with the kernels that the property names now.
   *
   * @throws InvalidRequestException if the property names what there is not
   */
  static Found find() {
    return FOUND.computeIfAbsent(System.getProperty(PROPERTY, ""), NativeLibrary::find);
  }

  private static Found find(String wanted) {
    if (wanted.equals(NONE)) {
      return new Found(null, "kancil.cpu.kernels=vector");
    }
    Optional<Path> file;
    SymbolLookup symbols;
    try {
      file = NativeKernels.library(UserCache.folder(System::getenv).resolve("native"));
      if (file.isEmpty()) {
        return new Found(
            null, "this build has none for " + NativeKernels.platform() + " (no C compiler)");
      }
      symbols = SymbolLookup.libraryLookup(file.get(), Arena.global());
    } catch (IOException | IllegalArgumentException e) {
      return new Found(null, "their library can't be loaded: " + e.getMessage());
    }
    int bits = number(symbols, "kancil_instruction_sets");
    InstructionSet chosen =
        Arrays.stream(InstructionSet.values())
            .filter(set -> set.isIn(bits))
            .filter(set -> wanted.isEmpty() ? set.isOfferedUnasked() : wanted.equals(set.suffix()))
            .reduce(InstructionSet.PLAIN, (_, last) -> last);
    if (!wanted.isEmpty() && !wanted.equals(chosen.suffix())) {
      throw new InvalidRequestException(
          "%s=%s is none of what this processor runs: %s"
              .formatted(
                  PROPERTY,
                  wanted,
                  Arrays.stream(InstructionSet.values())
                          .filter(set -> set.isIn(bits))
                          .map(InstructionSet::suffix)
                          .collect(Collectors.joining(", "))
                      + ", "
                      + NONE));
    }
    if (chosen == InstructionSet.AMX && number(symbols, "kancil_ask_for_tiles") != 0) {
      throw new InvalidRequestException(
          PROPERTY + "=amx: the system does not let this process use AMX");
    }
    return new Found(new NativeLibrary(chosen, symbols), null);
  }

  /** What a function without parameters returns. */
  private static int number(SymbolLookup symbols, String name) {
    MethodHandle function =
        Linker.nativeLinker()
            .downcallHandle(symbols.findOrThrow(name), FunctionDescriptor.of(ValueLayout.JAVA_INT));
    try {
      return (int) function.invokeExact();
    } catch (Throwable e) {
      throw new LinkageError(name, e);
    }
  }

  /** A function of the chosen set, or of the one below it, bound once. */
  MethodHandle function(String name, FunctionDescriptor type, Linker.Option... options) {
    return functions.computeIfAbsent(
        name, _ -> Linker.nativeLinker().downcallHandle(address(name), type, options));
  }

  private MemorySegment address(String name) {
    String ofAll = "kancil_" + name + "_";
    return symbols
        .find(ofAll + set.suffix())
        .orElseGet(() -> symbols.findOrThrow(ofAll + set.below().suffix()));
  }

  InstructionSet set() {
    return set;
  }

  /** Whether BF16 weights are multiplied with activations that are BF16, in steps of many rows. */
  boolean hasBrainFloats() {
    return set.below() == InstructionSet.AVX512BF16;
  }

  /** Whether there are products with weights of a type. */
  boolean takes(DataType type) {
    return TYPES.contains(type);
  }

  /**
   * Products with weights of a type.
   *
   * @throws IllegalArgumentException if there are none
   */
  TileProduct product(DataType type) {
    if (!takes(type)) {
      throw new IllegalArgumentException("no native products of " + type);
    }
    return products.computeIfAbsent(type, wanted -> new TileProduct(wanted, this));
  }

  /** Makes codebooks ready for products of types that have them. */
  void takeCodebooks() {
    MethodHandle codebooks =
        function("codebooks", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment packed = Codebook.packed();
      MemorySegment copy = arena.allocate(packed.byteSize(), 8).copyFrom(packed);
      codebooks.invokeExact(copy.address());
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Rounds rows of x (activations.h).
   *
   * @param x address of the first row
   * @param columns of x, whole blocks of 32, which lie {@code columns} floats apart
   * @param to address of the first rounded row, and {@code rowBytes} from one to the next
   * @param form one that rounds
   */
  void round(long x, int columns, int rows, long to, long rowBytes, RowForm form) {
    try {
      round.invokeExact(x, (long) columns, (long) columns, rows, to, rowBytes, form.code);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Bytes from a row to the next: whole cache lines, and an odd number of them, so that the same
   * columns of some rows are not all kept in the same place of a cache.
   */
  long rowBytes(int columns, RowForm form) {
    try {
      long bytes =
          form == RowForm.FLOATS
              ? 4L * columns
              : (long) roundBytes.invokeExact((long) columns, form.code);
      return (Math.ceilDiv(bytes, 64) | 1) * 64;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
