package dev.kancil.backend;

/** The weights of one model on one device. Closing frees what the device holds. */
public interface DeviceWeights extends AutoCloseable {
  /** Bytes held on the device beside the source's own memory. */
  long bytes();

  @Override
  void close();
}
