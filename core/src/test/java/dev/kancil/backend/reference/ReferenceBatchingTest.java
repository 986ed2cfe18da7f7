package dev.kancil.backend.reference;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.testing.BatchingContract;

class ReferenceBatchingTest extends BatchingContract {
  @Override
  protected Device device() {
    return new ReferenceBackend().open(0, DeviceOptions.DEFAULT.withGuards());
  }

  @Override
  protected float tolerance() {
    return 0;
  }
}
