package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.DeviceMemory.Recording;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;

/** A graph that is ready to be launched. */
final class CudaRecording implements Recording {
  private final CudaMemory memory;
  private final long executable;

  private CudaRecording(CudaMemory memory, long executable) {
    this.memory = memory;
    this.executable = executable;
  }

  /** Records what is enqueued on the memory's stream. */
  static CudaRecording of(CudaMemory memory, Runnable enqueue) {
    CudaDriver driver = memory.driver();
    try {
      driver.beginCapture(memory.stream());
      long graph = 0;
      try {
        enqueue.run();
      } finally {
        graph = driver.endCapture(memory.stream());
      }
      try {
        return new CudaRecording(memory, driver.instantiate(graph));
      } finally {
        driver.destroyGraph(graph);
      }
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  @Override
  public void enqueue() {
    try {
      memory.driver().launchGraph(executable, memory.stream());
    } catch (CudaException e) {
      throw CudaMemory.failure(e);
    }
  }

  @Override
  public void close() {
    memory.release(driver -> driver.destroyExecutable(executable));
  }
}
