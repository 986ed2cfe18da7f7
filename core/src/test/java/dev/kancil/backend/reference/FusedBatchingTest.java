package dev.kancil.backend.reference;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.testing.BatchingContract;
import dev.kancil.testing.DecomposingDevice;

/** The same for graphs that went through every fusion, and back by the definitions. */
class FusedBatchingTest extends BatchingContract {
  @Override
  protected Device device() {
    return new DecomposingDevice(new ReferenceBackend().open(0, DeviceOptions.DEFAULT));
  }

  @Override
  protected float tolerance() {
    return 0;
  }
}
