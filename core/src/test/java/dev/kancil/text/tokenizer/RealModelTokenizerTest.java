package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.format.gguf.GgufFile;
import dev.kancil.testing.RealModels;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RealModelTokenizerTest {
  @ParameterizedTest
  @EnumSource
  void goldenTextHasTheIdsThatTheGoldenLogitsAreFor(RealModels model) throws IOException {
    try (GgufFile file = GgufFile.open(model.path())) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      String text = Files.readString(TestData.path("real", "text.txt"));
      int[] ids = tokenizer.encode(text, true, false);
      assertThat(ids).containsExactly(model.golden().ints("input_ids"));
      assertThat(tokenizer.decode(ids)).isEqualTo(text);
    }
  }
}
