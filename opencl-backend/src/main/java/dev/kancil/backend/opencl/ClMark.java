package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.DeviceMemory.Mark;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_event;

/** An event behind what was enqueued. */
final class ClMark implements Mark {
  private final cl_event event;

  ClMark(cl_event event) {
    this.event = event;
    Handles.made();
  }

  @Override
  public void await() {
    int status = CL.clWaitForEvents(1, new cl_event[] {event});
    if (status != CL.CL_SUCCESS) {
      throw OpenCl.failure(executionStatus(status), "finish a step");
    }
  }

  /** A failed command's own status says more than that waiting for it failed. */
  private int executionStatus(int otherwise) {
    int[] status = new int[1];
    int found =
        CL.clGetEventInfo(
            event, CL.CL_EVENT_COMMAND_EXECUTION_STATUS, Sizeof.cl_int, Pointer.to(status), null);
    return found == CL.CL_SUCCESS && status[0] < 0 ? status[0] : otherwise;
  }

  @Override
  public void close() {
    CL.clReleaseEvent(event);
    Handles.released();
  }
}
