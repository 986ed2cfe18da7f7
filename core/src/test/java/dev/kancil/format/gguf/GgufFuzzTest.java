package dev.kancil.format.gguf;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Searches for a few seconds in each build, from the known inputs and what it finds. */
class GgufFuzzTest {
  @FuzzTest(maxDuration = "5s")
  void anyBytesAreReadOrRefused(byte[] bytes) {
    GgufReading.readsOrRefuses(bytes);
  }
}
