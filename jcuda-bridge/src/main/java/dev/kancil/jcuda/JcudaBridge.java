package dev.kancil.jcuda;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.cuda.CudaBackend;
import dev.kancil.backend.cuda.CudaQueue;
import dev.kancil.backend.cuda.CudaTap;
import jcuda.NativePointerObject;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;

/** JCuda's objects and the numbers that they hold. Nothing is copied, and nobody's life changes. */
public final class JcudaBridge {
  private JcudaBridge() {}

  /**
   * Opens a device that works in an application's context and on its stream, as {@link CudaQueue}
   * says. Both outlive the device.
   *
   * @param index of the device, as CUDA counts them
   * @throws dev.kancil.DeviceException if it is not available; the message says why
   * @throws IllegalArgumentException if the stream is the default one
   */
  public static Device open(int index, DeviceOptions options, CUcontext context, CUstream stream) {
    return new CudaBackend().open(index, options, queue(context, stream));
  }

  static CudaQueue queue(CUcontext context, CUstream stream) {
    return new CudaQueue(new Handle(context).value(), new Handle(stream).value());
  }

  /** A tap for {@link dev.kancil.graph.Taps#call}, on a device that {@link #open} opened. */
  public static CudaTap tap(JcudaTap tap) {
    return new CudaTap((value, _, rows, columns) -> tap.enqueue(pointer(value), rows, columns));
  }

  /** The address that a pointer holds, its offset included. */
  public static long address(CUdeviceptr pointer) {
    return new Address(pointer).value();
  }

  /** A pointer to device memory that is somebody else's. */
  public static CUdeviceptr pointer(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /** JCuda shows what its objects hold to those that are made from them. */
  private static final class Handle extends NativePointerObject {
    Handle(NativePointerObject other) {
      super(other);
    }

    long value() {
      return getNativePointer();
    }
  }

  private static final class Address extends CUdeviceptr {
    Address(CUdeviceptr other) {
      super(other, 0);
    }

    long value() {
      return getNativePointer() + getByteOffset();
    }
  }
}
