package dev.kancil.bindings.cuda;

import org.junit.jupiter.api.Assumptions;

/** NVRTC for tests. */
public final class RequiredNvrtc {
  private RequiredNvrtc() {}

  /** NVRTC; skips the test, and says so, where it is not there; in CI that is a failure. */
  public static Nvrtc find() {
    Nvrtc compiler = Nvrtc.find(13).orElse(null);
    if (compiler == null) {
      String message = "SKIPPED: no NVRTC; run scripts/test, which fetches it";
      System.err.println(message);
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message);
      }
      Assumptions.abort(message);
    }
    return compiler;
  }
}
