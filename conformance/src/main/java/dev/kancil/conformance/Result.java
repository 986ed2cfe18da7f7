package dev.kancil.conformance;

/**
 * What became of a case.
 *
 * @param tested the case
 * @param status how it ended
 * @param error the largest normalised mean squared error of its outputs; NaN if there is none
 * @param limit what the error may be on this device
 * @param message why it was refused or failed; empty otherwise
 */
public record Result(Case tested, Status status, double error, double limit, String message) {
  /** How a case can end. */
  public enum Status {
    /** Within the limit. */
    PASSED,
    /** The device doesn't take the fused operation; its parts are within the limit. */
    PASSED_IN_PARTS,
    /** The device says that it can't run it. */
    REFUSED,
    /** A wrong result, a stray write, or an error. */
    FAILED
  }

  @Override
  public String toString() {
    return status
        + " "
        + tested
        + (status == Status.REFUSED
            ? ""
            : String.format(java.util.Locale.ROOT, " error %.2g of %.2g", error, limit))
        + (message.isEmpty() ? "" : ": " + message);
  }
}
