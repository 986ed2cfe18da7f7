package dev.kancil.engine.split;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Graph;
import dev.kancil.testing.BatchingContract;
import dev.kancil.testing.DecomposingDevice;

/** Two devices in lockstep keep what one must hold; one of them takes fused operations. */
class SplitBatchingTest extends BatchingContract {
  @Override
  protected Device device() {
    return new ReferenceBackend().open(0, DeviceOptions.DEFAULT.withGuards());
  }

  @Override
  protected Device device(Graph model) {
    return new SplitDevice(device(), new DecomposingDevice(device()), model, model.layers() - 1);
  }

  @Override
  protected float tolerance() {
    return 0;
  }
}
