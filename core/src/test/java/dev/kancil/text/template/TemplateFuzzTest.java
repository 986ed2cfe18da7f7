package dev.kancil.text.template;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Map;

/** Whatever a template is, it renders or fails with a TemplateException; for Jazzer to run. */
class TemplateFuzzTest {
  @FuzzTest(maxDuration = "5s")
  void anyTemplateRendersOrIsRefused(FuzzedDataProvider data) {
    Map<String, Object> variables =
        Map.of("text", data.consumeString(50), "n", data.consumeLong(), "x", data.consumeDouble());
    TemplateMutationTest.run(data.consumeRemainingAsString(), variables);
  }
}
