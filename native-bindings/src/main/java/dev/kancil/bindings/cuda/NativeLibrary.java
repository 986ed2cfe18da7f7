package dev.kancil.bindings.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * A shared library that stays loaded.
 *
 * @param name as it was found
 */
// Native access is what this module is for.
@SuppressWarnings("restricted")
record NativeLibrary(String name, SymbolLookup symbols) {

  /** The first of some names or paths that can be loaded. */
  static Optional<NativeLibrary> find(List<String> candidates) {
    for (String candidate : candidates) {
      try {
        SymbolLookup symbols = SymbolLookup.libraryLookup(candidate, Arena.global());
        return Optional.of(new NativeLibrary(candidate, symbols));
      } catch (IllegalArgumentException e) {
        // The next one.
      }
    }
    return Optional.empty();
  }

  /** A function that returns an {@code int}. */
  MethodHandle function(String function, MemoryLayout... parameters) {
    return function(FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters), function);
  }

  /** A function that returns a pointer. */
  MethodHandle pointerFunction(String function, MemoryLayout... parameters) {
    return function(FunctionDescriptor.of(ValueLayout.ADDRESS, parameters), function);
  }

  private MethodHandle function(FunctionDescriptor descriptor, String function) {
    MemorySegment symbol =
        symbols
            .find(function)
            .orElseThrow(() -> new UnsatisfiedLinkError(name + " has no function " + function));
    return Linker.nativeLinker().downcallHandle(symbol, descriptor);
  }

  /** What a call threw, which declares no checked exception. */
  static RuntimeException unchecked(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
  }
}
