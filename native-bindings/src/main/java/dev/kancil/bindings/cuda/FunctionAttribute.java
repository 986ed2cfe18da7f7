package dev.kancil.bindings.cuda;

/** Attributes of a kernel (CUfunction_attribute of cuda.h). */
public enum FunctionAttribute {
  MAX_THREADS_PER_BLOCK(0),
  /** Shared memory that the kernel declares itself, in bytes. */
  STATIC_SHARED_BYTES(1),
  /** Local memory of a thread: arrays, and what found no register. */
  LOCAL_BYTES(3),
  /** Registers of a thread; an emulator, which has no limited number of them, answers 0. */
  REGISTERS(4);

  private final int number;

  FunctionAttribute(int number) {
    this.number = number;
  }

  /** Its number in cuda.h. */
  public int number() {
    return number;
  }
}
