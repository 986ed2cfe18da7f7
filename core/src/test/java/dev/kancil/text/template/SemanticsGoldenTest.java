package dev.kancil.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.kancil.TemplateException;
import dev.kancil.format.json.Json;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Small templates, one or a few constructs each, against Python's jinja2 (semantics.py). */
class SemanticsGoldenTest {
  @TestFactory
  List<DynamicTest> everyConstructMeansWhatItMeansInPython() throws IOException {
    Map<String, Object> data = data();
    Map<String, Object> variables = GoldenData.map(data.get("variables"));
    TemplateOptions options =
        TemplateOptions.DEFAULT.withNow(LocalDateTime.parse(String.valueOf(data.get("now"))));
    List<DynamicTest> tests = new ArrayList<>();
    for (Object element : GoldenData.list(data.get("cases"))) {
      Map<String, Object> expected = GoldenData.map(element);
      String source = String.valueOf(expected.get("template"));
      tests.add(
          dynamicTest(
              source,
              () -> {
                if (expected.get("text") instanceof String text) {
                  assertThat(ChatTemplate.parse("t", source).render(variables, options))
                      .isEqualTo(text);
                } else {
                  assertThatThrownBy(
                          () -> ChatTemplate.parse("t", source).render(variables, options))
                      .isInstanceOf(TemplateException.class)
                      .hasMessage("chat template t, line 1: " + expected.get("error"));
                }
              }));
    }
    return tests;
  }

  @TestFactory
  List<DynamicTest> whatIsNoTemplateInPythonIsRefused() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Object element : GoldenData.list(data().get("broken"))) {
      String source = String.valueOf(element);
      tests.add(
          dynamicTest(
              source,
              () ->
                  assertThatThrownBy(() -> ChatTemplate.parse("t", source))
                      .isInstanceOf(TemplateException.class)
                      .hasMessageStartingWith("chat template t, line 1: ")));
    }
    return tests;
  }

  private static Map<String, Object> data() throws IOException {
    String json = Files.readString(TestData.path("chat-templates", "semantics.json"));
    return GoldenData.map(Json.parse(json));
  }
}
