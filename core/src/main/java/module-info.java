/** The public API, engine, model families, text, formats, backend SPI, graph and tensors. */
module dev.kancil.core {
  requires transitive org.jspecify;
  requires org.slf4j;

  exports dev.kancil;
  exports dev.kancil.backend;
  exports dev.kancil.backend.accelerator;
  exports dev.kancil.backend.host;
  exports dev.kancil.backend.reference;
  exports dev.kancil.engine;
  exports dev.kancil.engine.split;
  exports dev.kancil.family;
  exports dev.kancil.format;
  exports dev.kancil.format.gguf;
  exports dev.kancil.format.safetensors;
  exports dev.kancil.format.synthetic;
  exports dev.kancil.graph;
  exports dev.kancil.graph.fusion;
  exports dev.kancil.graph.op;
  exports dev.kancil.image;
  exports dev.kancil.tensor;
  exports dev.kancil.text.template;
  exports dev.kancil.text.tokenizer;

  uses dev.kancil.backend.Backend;

  provides dev.kancil.backend.Backend with
      dev.kancil.backend.reference.ReferenceBackend;
}
