package dev.kancil.text.tokenizer;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;

/** {@link TokenizerChecks} on what the fuzzer finds; it runs one target of a class. */
class TokenizerTextFuzzTest {
  @FuzzTest(maxDuration = "5s")
  void anyTextComesBack(FuzzedDataProvider data) {
    boolean parseSpecial = data.consumeBoolean();
    TokenizerChecks.checkText(data.consumeRemainingAsString(), parseSpecial);
  }
}
