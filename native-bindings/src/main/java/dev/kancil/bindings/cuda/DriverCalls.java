package dev.kancil.bindings.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;

/**
 * Functions of {@code cuda.h}, by their names there. Handles and pointers of the device are longs,
 * which are passed as pointers are. Initialised when the library is known to be there.
 */
final class DriverCalls {
  static final MethodHandle INIT = of("cuInit", JAVA_INT);
  static final MethodHandle DRIVER_GET_VERSION = of("cuDriverGetVersion", ADDRESS);
  static final MethodHandle GET_ERROR_NAME = of("cuGetErrorName", JAVA_INT, ADDRESS);
  static final MethodHandle GET_ERROR_STRING = of("cuGetErrorString", JAVA_INT, ADDRESS);

  static final MethodHandle DEVICE_GET_COUNT = of("cuDeviceGetCount", ADDRESS);
  static final MethodHandle DEVICE_GET = of("cuDeviceGet", ADDRESS, JAVA_INT);
  static final MethodHandle DEVICE_GET_NAME = of("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
  static final MethodHandle DEVICE_GET_PCI_BUS_ID =
      of("cuDeviceGetPCIBusId", ADDRESS, JAVA_INT, JAVA_INT);
  static final MethodHandle DEVICE_TOTAL_MEM = of("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
  static final MethodHandle DEVICE_GET_ATTRIBUTE =
      of("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);

  static final MethodHandle PRIMARY_CTX_RETAIN = of("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
  static final MethodHandle PRIMARY_CTX_RELEASE = of("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
  static final MethodHandle CTX_SET_CURRENT = of("cuCtxSetCurrent", JAVA_LONG);

  static final MethodHandle MEM_GET_INFO = of("cuMemGetInfo_v2", ADDRESS, ADDRESS);
  static final MethodHandle MEM_ALLOC = of("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
  static final MethodHandle MEM_FREE = of("cuMemFree_v2", JAVA_LONG);
  static final MethodHandle MEM_HOST_ALLOC = of("cuMemHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
  static final MethodHandle MEM_FREE_HOST = of("cuMemFreeHost", ADDRESS);
  static final MethodHandle MEMCPY_TO_DEVICE =
      of("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  static final MethodHandle MEMCPY_TO_HOST =
      of("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  static final MethodHandle MEMCPY =
      of("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  static final MethodHandle MEMSET =
      of("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);

  static final MethodHandle STREAM_CREATE = of("cuStreamCreate", ADDRESS, JAVA_INT);
  static final MethodHandle STREAM_DESTROY = of("cuStreamDestroy_v2", JAVA_LONG);
  static final MethodHandle STREAM_SYNCHRONIZE = of("cuStreamSynchronize", JAVA_LONG);
  static final MethodHandle EVENT_CREATE = of("cuEventCreate", ADDRESS, JAVA_INT);
  static final MethodHandle EVENT_DESTROY = of("cuEventDestroy_v2", JAVA_LONG);
  static final MethodHandle EVENT_RECORD = of("cuEventRecord", JAVA_LONG, JAVA_LONG);
  static final MethodHandle EVENT_SYNCHRONIZE = of("cuEventSynchronize", JAVA_LONG);

  static final MethodHandle EVENT_ELAPSED_TIME =
      of("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);

  static final MethodHandle MODULE_LOAD_DATA =
      of("cuModuleLoadDataEx", ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
  static final MethodHandle MODULE_UNLOAD = of("cuModuleUnload", JAVA_LONG);
  static final MethodHandle MODULE_GET_FUNCTION =
      of("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
  static final MethodHandle FUNC_SET_ATTRIBUTE =
      of("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
  static final MethodHandle FUNC_GET_ATTRIBUTE =
      of("cuFuncGetAttribute", ADDRESS, JAVA_INT, JAVA_LONG);
  static final MethodHandle OCCUPANCY =
      of("cuOccupancyMaxActiveBlocksPerMultiprocessor", ADDRESS, JAVA_LONG, JAVA_INT, JAVA_LONG);
  static final MethodHandle LAUNCH_KERNEL =
      of(
          "cuLaunchKernel",
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          JAVA_LONG,
          ADDRESS,
          ADDRESS);

  private DriverCalls() {}

  private static MethodHandle of(String function, MemoryLayout... parameters) {
    return SystemCudaDriver.library().function(function, parameters);
  }
}
