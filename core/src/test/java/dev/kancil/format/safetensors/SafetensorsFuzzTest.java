package dev.kancil.format.safetensors;

import com.code_intelligence.jazzer.junit.FuzzTest;

/** Searches for a few seconds in each build, from the known inputs and what it finds. */
class SafetensorsFuzzTest {
  @FuzzTest(maxDuration = "5s")
  void anyBytesAreReadOrRefused(byte[] bytes) {
    SafetensorsReading.readsOrRefuses(bytes);
  }
}
