package dev.kancil.backend.opencl;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jocl.CL;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;

/**
 * All devices of all platforms, graphics processors first.
 *
 * @param reason why there are none; empty if there are some
 */
record Platforms(List<ClDevice> devices, String reason) {
  /** How drivers' loaders answer where no driver is installed. */
  private static final int NO_PLATFORM = -1001;

  /** Looks once; what is plugged in later is not seen. */
  static Platforms find() {
    return Found.ALL;
  }

  private static final class Found {
    static final Platforms ALL = look();
  }

  private static Platforms look() {
    try {
      return enumerate();
    } catch (LinkageError e) {
      // JOCL's class, or the loader of OpenCL that it looks for, is not there or can't be loaded.
      String message = String.valueOf(e.getMessage());
      if (message.contains("already loaded in another classloader")) {
        return none("JOCL is loaded by another class loader of this JVM, which has room for one");
      }
      return none("no OpenCL library is installed (Debian: ocl-icd-libopencl1 and a driver)");
    } catch (RuntimeException e) {
      return none(String.valueOf(e.getMessage()));
    }
  }

  private static Platforms none(String reason) {
    return new Platforms(List.of(), reason);
  }

  private static Platforms enumerate() {
    int[] count = new int[1];
    int status = CL.clGetPlatformIDs(0, null, count);
    if (status == NO_PLATFORM || (status == CL.CL_SUCCESS && count[0] == 0)) {
      return none("no OpenCL driver is installed");
    }
    OpenCl.check(status, "list platforms");
    cl_platform_id[] platforms = new cl_platform_id[count[0]];
    OpenCl.check(CL.clGetPlatformIDs(platforms.length, platforms, null), "list platforms");
    List<ClDevice> devices = new ArrayList<>();
    for (cl_platform_id platform : platforms) {
      int found = CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, 0, null, count);
      if (found == CL.CL_DEVICE_NOT_FOUND) {
        continue;
      }
      OpenCl.check(found, "list devices");
      cl_device_id[] ids = new cl_device_id[count[0]];
      OpenCl.check(
          CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, ids.length, ids, null),
          "list devices");
      for (cl_device_id id : ids) {
        devices.add(ClDevice.of(platform, id));
      }
    }
    devices.sort(Comparator.comparing(ClDevice::isProcessor));
    return new Platforms(List.copyOf(devices), devices.isEmpty() ? "no driver has a device" : "");
  }
}
