package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;

/**
 * As {@link DriverCalls}: functions that drivers before CUDA 11.8 may not have, looked up when one
 * of them is first used.
 */
final class GraphCalls {
  static final MethodHandle STREAM_BEGIN_CAPTURE =
      of("cuStreamBeginCapture_v2", JAVA_LONG, JAVA_INT);
  static final MethodHandle STREAM_END_CAPTURE = of("cuStreamEndCapture", JAVA_LONG, ADDRESS);
  static final MethodHandle GRAPH_INSTANTIATE =
      of("cuGraphInstantiateWithFlags", ADDRESS, JAVA_LONG, JAVA_LONG);
  static final MethodHandle GRAPH_LAUNCH = of("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
  static final MethodHandle GRAPH_DESTROY = of("cuGraphDestroy", JAVA_LONG);
  static final MethodHandle GRAPH_EXEC_DESTROY = of("cuGraphExecDestroy", JAVA_LONG);
  static final MethodHandle LAUNCH_KERNEL_EX =
      of("cuLaunchKernelEx", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);

  private GraphCalls() {}

  private static MethodHandle of(String function, MemoryLayout... parameters) {
    return SystemCudaDriver.library().function(function, parameters);
  }
}
