/** A CUDA driver that interprets PTX. */
module dev.kancil.cuda.emulator {
  requires transitive dev.kancil.bindings;
  requires transitive org.jspecify;

  exports dev.kancil.cuda.emulator;
  exports dev.kancil.cuda.emulator.micro;
}
