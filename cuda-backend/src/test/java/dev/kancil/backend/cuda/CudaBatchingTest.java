package dev.kancil.backend.cuda;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.testing.BatchingContract;

class CudaBatchingTest extends BatchingContract {
  @Override
  protected Device device() {
    return EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT);
  }

  @Override
  protected float tolerance() {
    return 0;
  }
}
