package dev.kancil.cuda.emulator;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** Whatever PTX says, it loads or is refused with one error; for Jazzer to run. */
class PtxFuzzTest {
  private static final EmulatedDevice DEVICE = EmulatedDevice.standard().withMemoryBytes(1 << 20);

  @FuzzTest(maxDuration = "5s")
  void anyTextLoadsOrIsRefused(FuzzedDataProvider data) {
    String valid = PtxErrorsTest.VALID;
    int from = data.consumeInt(0, valid.length());
    int to = data.consumeInt(from, valid.length());
    String inserted = data.consumeRemainingAsString().replace('\0', ' ');
    try (EmulatedKernels kernels = new EmulatedKernels(DEVICE)) {
      PtxErrorsTest.tryToLoad(kernels, valid.substring(0, from) + inserted + valid.substring(to));
    }
  }
}
