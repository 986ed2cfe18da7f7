package dev.kancil.backend.cuda;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.split.SplitDevice;
import dev.kancil.graph.Graph;
import dev.kancil.testing.BatchingContract;

/** The last layer on the emulated device, those before on the reference device. */
class CudaSplitBatchingTest extends BatchingContract {
  @Override
  protected Device device() {
    return EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT);
  }

  @Override
  protected Device device(Graph model) {
    Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
    return new SplitDevice(reference, device(), model, model.layers() - 1);
  }

  @Override
  protected float tolerance() {
    return 0;
  }
}
