package dev.kancil.cuda.emulator;

/** What is wrong with a PTX text, and on which line. */
final class PtxException extends RuntimeException {
  private static final long serialVersionUID = 1;

  PtxException(int line, String message) {
    super("PTX line " + line + ": " + message);
  }
}
