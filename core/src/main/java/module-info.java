/** The public API, engine, model families, text, formats, backend SPI, graph and tensors. */
module dev.kancil.core {
  requires transitive org.jspecify;
  requires org.slf4j;

  exports dev.kancil;
  exports dev.kancil.tensor;
}
