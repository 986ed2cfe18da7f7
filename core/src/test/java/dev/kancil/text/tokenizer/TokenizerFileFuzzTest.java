package dev.kancil.text.tokenizer;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** {@link TokenizerChecks} on what the fuzzer finds; it runs one target of a class. */
class TokenizerFileFuzzTest {
  @FuzzTest(maxDuration = "5s")
  void anyFileGivesATokenizerOrOneLine(FuzzedDataProvider data) {
    TokenizerChecks.checkFile(bound -> bound <= 0 ? 0 : data.consumeInt(0, bound - 1));
  }
}
