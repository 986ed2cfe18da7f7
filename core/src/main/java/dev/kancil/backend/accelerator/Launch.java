package dev.kancil.backend.accelerator;

/** A kernel with its arguments bound, once for a program. */
public interface Launch extends Work, AutoCloseable {
  @Override
  void close();
}
