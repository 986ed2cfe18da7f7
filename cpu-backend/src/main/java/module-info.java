/**
 * Transformer operations on the processor, in native kernels. Where these are missing, and for
 * types of weights that they don't read, kernels in Java's Vector API run if the JVM was started
 * with {@code --add-modules jdk.incubator.vector}; the backend says so where it was not.
 */
module dev.kancil.cpu {
  requires dev.kancil.core;
  requires dev.kancil.kernels;
  requires static jdk.incubator.vector;

  exports dev.kancil.backend.cpu;

  provides dev.kancil.backend.Backend with
      dev.kancil.backend.cpu.CpuBackend;
}
