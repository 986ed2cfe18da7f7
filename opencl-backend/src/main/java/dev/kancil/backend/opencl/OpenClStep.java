package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.Uninterrupted;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_event;
import org.jspecify.annotations.Nullable;

/** One of a program's reusable steps: its inputs on their way in, its outputs on their way out. */
final class OpenClStep implements Step {
  final Runnable task = this::execute;
  final StepInputs.Staging staging;
  private final Map<String, MemorySegment> outputs;
  // Made once, as the task is.
  private final Uninterrupted.Wait change = this::wait;
  private final OpenClProgram program;
  private final Batch batch;
  private @Nullable OpenClState state;
  private @Nullable cl_event event;
  private boolean enqueued;
  private boolean open;
  private @Nullable Throwable failure;

  OpenClStep(
      OpenClProgram program,
      StepLimits limits,
      StepInputs.Staging staging,
      Map<String, MemorySegment> outputs) {
    this.program = program;
    this.staging = staging;
    this.outputs = outputs;
    this.batch = new Batch(limits);
  }

  void prepare(Batch source, OpenClState newState) {
    batch.copyFrom(source);
    staging.fill(batch, newState.tables());
    state = newState;
    event = null;
    enqueued = false;
    open = true;
    failure = null;
  }

  Batch batch() {
    return batch;
  }

  OpenClState state() {
    OpenClState current = state;
    if (current == null) {
      throw new IllegalStateException("the step has no state");
    }
    return current;
  }

  private void execute() {
    cl_event done = null;
    Throwable thrown = null;
    try {
      done = program.execute(this);
    } catch (Throwable e) {
      thrown = e;
    }
    synchronized (this) {
      event = done;
      failure = thrown;
      enqueued = true;
      notifyAll();
    }
  }

  /** Waits for the device's thread to have enqueued the step, then for the device. */
  private synchronized void waitUntilDone() {
    while (!enqueued) {
      Uninterrupted.run(change);
    }
    cl_event done = event;
    if (done != null) {
      int status = CL.clWaitForEvents(1, new cl_event[] {done});
      if (status != CL.CL_SUCCESS) {
        failure = OpenCl.failure(executionStatus(done, status), "finish a step");
      }
      CL.clReleaseEvent(done);
      Handles.released();
      event = null;
    }
  }

  /** A failed command's own status says more than that waiting for it failed. */
  private static int executionStatus(cl_event event, int otherwise) {
    int[] status = new int[1];
    int found =
        CL.clGetEventInfo(
            event, CL.CL_EVENT_COMMAND_EXECUTION_STATUS, Sizeof.cl_int, Pointer.to(status), null);
    return found == CL.CL_SUCCESS && status[0] < 0 ? status[0] : otherwise;
  }

  @Override
  public void await() {
    waitUntilDone();
    if (failure != null) {
      throw new DeviceException("a step failed: " + failure, failure);
    }
  }

  @Override
  public MemorySegment output(String name) {
    if (!open) {
      throw new IllegalStateException("the step is closed");
    }
    await();
    return room(name);
  }

  /** Host memory for an output. */
  MemorySegment room(String name) {
    MemorySegment output = outputs.get(name);
    if (output == null) {
      throw new IllegalArgumentException(name + " is no output of the program");
    }
    return output;
  }

  @Override
  public void close() {
    if (open) {
      waitUntilDone();
      open = false;
      program.giveBack(this);
    }
  }
}
