package dev.kancil.backend.cuda;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Kernels that are compiled beforehand, for devices of machines without a compiler. */
interface KernelStock {
  /** A kernel's image: a cubin, or PTX that ends with a zero; null if it is not there. */
  byte @Nullable [] find(String source, String options);

  /**
   * Adds a kernel, where this is to be filled.
   *
   * @param compile makes a kernel for an architecture
   */
  default void keep(String source, String options, Function<String, byte[]> compile) {}

  /** What this is, for whoever misses a kernel in it. */
  String name();
}
