package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.DeviceMemory.Mark;
import dev.kancil.bindings.cuda.CudaException;

/** An event behind what was enqueued. */
final class CudaMark implements Mark {
  private final CudaMemory memory;
  private final long event;

  CudaMark(CudaMemory memory, long event) {
    this.memory = memory;
    this.event = event;
  }

  @Override
  public void await() {
    try {
      memory.driver().await(event);
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  @Override
  public void close() {
    memory.release(driver -> driver.destroyEvent(event));
  }
}
