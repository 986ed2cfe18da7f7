package dev.kancil.jcuda;

import jcuda.driver.CUdeviceptr;

/** What an application's kernels do with a value while a step runs. */
@FunctionalInterface
public interface JcudaTap {
  /**
   * Enqueues, on the stream that the device was opened with, work that reads the value or changes
   * it in place. Called on the device's thread with the context current, once a step that has rows.
   * What it throws fails the step.
   *
   * @param value rows · columns float32 in C order; the device's as soon as the enqueued work is
   *     done
   * @param rows rows in this step
   * @param columns elements of a row
   */
  void enqueue(CUdeviceptr value, int rows, int columns);
}
