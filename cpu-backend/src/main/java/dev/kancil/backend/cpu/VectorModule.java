package dev.kancil.backend.cpu;

import dev.kancil.MissingModuleException;

/**
 * The incubating module of the Vector API, which a JVM has where it was started with it. Without it
 * native kernels run, and no class that uses it is loaded.
 */
final class VectorModule {
  static final String NAME = "jdk.incubator.vector";

  private VectorModule() {}

  static boolean isPresent() {
    return ModuleLayer.boot().findModule(NAME).isPresent();
  }

  /**
   * @throws MissingModuleException if it is not there
   */
  static void require(String what) {
    if (!isPresent()) {
      throw new MissingModuleException(
          what + " run in the Vector API on a processor, which is not there", NAME);
    }
  }
}
