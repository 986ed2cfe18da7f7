/** The sources of all device code. */
module dev.kancil.kernels {
  requires transitive org.jspecify;

  exports dev.kancil.kernels;
}
