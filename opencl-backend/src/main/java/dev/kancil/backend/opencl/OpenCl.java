package dev.kancil.backend.opencl;

import dev.kancil.DeviceException;
import java.nio.charset.StandardCharsets;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_device_id;

/** Statuses and queries. Each status is looked at where it comes up; JOCL is not asked to throw. */
final class OpenCl {
  private OpenCl() {}

  /**
   * Throws unless {@code status} is success.
   *
   * @param what could not be done, as the message names it
   */
  static void check(int status, String what) {
    if (status != CL.CL_SUCCESS) {
      throw failure(status, what);
    }
  }

  static DeviceException failure(int status, String what) {
    return new DeviceException("OpenCL could not " + what + ": " + name(status));
  }

  static String name(int status) {
    return switch (status) {
      case -9999 -> "illegal read or write to a buffer";
      default -> CL.stringFor_errorCode(status);
    };
  }

  /** Whether a status says that memory is short. */
  static boolean isOutOfMemory(int status) {
    return status == CL.CL_MEM_OBJECT_ALLOCATION_FAILURE
        || status == CL.CL_OUT_OF_RESOURCES
        || status == CL.CL_OUT_OF_HOST_MEMORY
        || status == CL.CL_INVALID_BUFFER_SIZE;
  }

  static String text(cl_device_id device, int what) {
    long[] size = new long[1];
    check(CL.clGetDeviceInfo(device, what, 0, null, size), "describe a device");
    byte[] bytes = new byte[Math.toIntExact(size[0])];
    check(
        CL.clGetDeviceInfo(device, what, bytes.length, Pointer.to(bytes), null),
        "describe a device");
    return string(bytes);
  }

  /** A number of up to 64 bits; sizes differ from query to query. */
  static long number(cl_device_id device, int what) {
    long[] value = new long[1];
    long[] size = new long[1];
    check(CL.clGetDeviceInfo(device, what, 0, null, size), "describe a device");
    check(
        CL.clGetDeviceInfo(device, what, Math.min(size[0], Long.BYTES), Pointer.to(value), null),
        "describe a device");
    return value[0];
  }

  /** Text up to its terminating zero. */
  static String string(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8).strip();
  }
}
