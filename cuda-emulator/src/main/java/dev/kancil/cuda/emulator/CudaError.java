package dev.kancil.cuda.emulator;

import dev.kancil.bindings.cuda.CudaException;

/** Errors of the driver API (CUresult of cuda.h). */
enum CudaError {
  INVALID_VALUE(1),
  OUT_OF_MEMORY(2),
  INVALID_DEVICE(101),
  INVALID_IMAGE(200),
  INVALID_CONTEXT(201),
  NO_BINARY_FOR_GPU(209),
  INVALID_PTX(218),
  INVALID_HANDLE(400),
  ILLEGAL_STATE(401),
  NOT_FOUND(500),
  NOT_READY(600),
  ILLEGAL_ADDRESS(700),
  LAUNCH_OUT_OF_RESOURCES(701),
  LAUNCH_TIMEOUT(702),
  MISALIGNED_ADDRESS(716),
  LAUNCH_FAILED(719),
  NOT_SUPPORTED(801),
  STREAM_CAPTURE_UNSUPPORTED(900),
  STREAM_CAPTURE_INVALIDATED(901),
  CAPTURED_EVENT(907);

  private final int code;

  CudaError(int code) {
    this.code = code;
  }

  CudaException exception(String message) {
    return new CudaException(code, "CUDA_ERROR_" + name() + " (" + code + "): " + message);
  }
}
