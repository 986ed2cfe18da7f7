package dev.kancil.engine.split;

import dev.kancil.backend.DeviceWeights;

/** The weights of both parts; one that both read is on both devices. */
record SplitWeights(DeviceWeights first, DeviceWeights second) implements DeviceWeights {
  @Override
  public long bytes() {
    return first.bytes() + second.bytes();
  }

  @Override
  public void close() {
    try {
      second.close();
    } finally {
      first.close();
    }
  }
}
