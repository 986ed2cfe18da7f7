package dev.kancil.backend.cuda;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kancil.FormatException;

/** Whatever is said to be an index of kernels is read or refused; for Jazzer to run. */
class KernelIndexFuzzTest {
  @FuzzTest(maxDuration = "5s")
  void anyIndexIsReadOrRefused(FuzzedDataProvider data) {
    String line = "80 " + "0".repeat(64) + " 10 " + "1".repeat(64) + "\n";
    String valid = "kancil kernels 1\n" + line;
    int from = data.consumeInt(0, valid.length());
    int to = data.consumeInt(from, valid.length());
    String inserted = data.consumeRemainingAsString();
    try {
      KernelIndex.parse("k.jar", valid.substring(0, from) + inserted + valid.substring(to));
    } catch (FormatException e) {
      // The one answer there may be.
    }
  }
}
