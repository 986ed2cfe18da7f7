package dev.kancil.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.kancil.TemplateException;
import dev.kancil.format.json.Json;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Templates of published models, rendered as Python's jinja2 renders them: those whose licence lets
 * the project carry them, and, where the property {@code kancil.goldens} says so, all others.
 */
class ChatTemplateGoldenTest {
  @TestFactory
  List<DynamicTest> everyTemplateOfTheProjectRendersAsInPython() throws IOException {
    Path zip = TestData.path("chat-templates", "goldens.zip");
    try (FileSystem files = FileSystems.newFileSystem(URI.create("jar:" + zip.toUri()), Map.of())) {
      List<DynamicTest> tests = tests(files.getPath("/"));
      assertThat(tests).hasSizeGreaterThan(300);
      return tests;
    }
  }

  @TestFactory
  List<DynamicTest> everyFurtherTemplateRendersAsInPython() throws IOException {
    Optional<Path> folder = TestData.goldens("chat-templates");
    if (folder.isEmpty()) {
      System.err.println("SKIPPED: no chat-templates in the folder that kancil.goldens names");
      return List.of();
    }
    return tests(folder.get());
  }

  private static List<DynamicTest> tests(Path folder) throws IOException {
    Map<String, Object> data =
        GoldenData.map(Json.parse(Files.readString(folder.resolve("cases.json"))));
    Map<String, Object> cases = GoldenData.map(data.get("cases"));
    TemplateOptions options =
        TemplateOptions.DEFAULT.withNow(LocalDateTime.parse(String.valueOf(data.get("now"))));
    List<DynamicTest> tests = new ArrayList<>();
    for (Map.Entry<String, Object> template : GoldenData.map(data.get("expect")).entrySet()) {
      String name = template.getKey();
      String source = Files.readString(folder.resolve(name + ".jinja"));
      for (Map.Entry<String, Object> expectation : GoldenData.map(template.getValue()).entrySet()) {
        String caseName = expectation.getKey();
        Map<String, Object> variables = GoldenData.map(cases.get(caseName));
        Path expected = folder.resolve(name + "." + caseName + ".expected.txt");
        if (expectation.getValue().equals("ok")) {
          String text = Files.readString(expected);
          tests.add(
              dynamicTest(
                  name + " " + caseName, () -> rendersAs(name, source, variables, options, text)));
        } else {
          String error = String.valueOf(expectation.getValue());
          tests.add(
              dynamicTest(
                  name + " " + caseName, () -> failsAs(name, source, variables, options, error)));
        }
      }
    }
    return tests;
  }

  private static void rendersAs(
      String name,
      String source,
      Map<String, Object> variables,
      TemplateOptions options,
      String expected) {
    String rendered = ChatTemplate.parse(name, source).render(variables, options);
    assertThat(rendered).isEqualTo(expected);
  }

  private static void failsAs(
      String name,
      String source,
      Map<String, Object> variables,
      TemplateOptions options,
      String error) {
    ChatTemplate template = ChatTemplate.parse(name, source);
    assertThatThrownBy(() -> template.render(variables, options))
        .isInstanceOf(TemplateException.class)
        .hasMessageStartingWith("chat template " + name + ", line ")
        .hasMessageEndingWith(error.substring(error.indexOf(": ")));
  }
}
