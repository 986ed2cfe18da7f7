/**
 * Transformer operations on the processor, in Java's Vector API. On the module path this brings the
 * incubating vector module by itself; on the class path the JVM needs {@code --add-modules
 * jdk.incubator.vector}, and the backend says so where it is missing.
 */
module dev.kancil.cpu {
  requires dev.kancil.core;
  requires dev.kancil.kernels;
  requires jdk.incubator.vector;

  exports dev.kancil.backend.cpu;

  provides dev.kancil.backend.Backend with
      dev.kancil.backend.cpu.CpuBackend;
}
