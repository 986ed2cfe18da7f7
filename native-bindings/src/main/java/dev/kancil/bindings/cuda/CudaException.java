package dev.kancil.bindings.cuda;

/** What the driver or the compiler refused, in its own words. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  public static final int OUT_OF_MEMORY = 2;

  private final int code;

  /**
   * @param code as the driver API numbers its errors
   */
  public CudaException(int code, String message) {
    super(message);
    this.code = code;
  }

  /** The driver API's number of the error. */
  public int code() {
    return code;
  }
}
