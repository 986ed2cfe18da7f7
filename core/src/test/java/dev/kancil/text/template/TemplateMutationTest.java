package dev.kancil.text.template;

import dev.kancil.TemplateException;
import dev.kancil.format.json.Json;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/** Templates with random changes render or fail with a TemplateException, never otherwise. */
class TemplateMutationTest {
  private static final long SECONDS = 5;

  /** Small, so that many inputs fit into the time. */
  private static final TemplateOptions SMALL = new TemplateOptions(null, 20_000, 200, 200_000);

  private static final String[] PIECES = {
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "+",
    "*",
    "**",
    "/",
    "//",
    "%",
    "~",
    "|",
    ".",
    ",",
    ":",
    "=",
    "==",
    "<",
    ">=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "\\",
    "\n",
    " ",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "1e308",
    "1.5",
    "'a'",
    "'🙂'",
    "if ",
    "else",
    "endif",
    "for ",
    "in ",
    "not ",
    "is ",
    "and ",
    "endfor",
    "set ",
    "endset",
    "macro ",
    "endmacro",
    "ns.a",
    "namespace(a=1)",
    "range(9)",
    "loop",
    "loop.index",
    "loop.previtem",
    "messages",
    "message",
    "tools",
    "text",
    "list",
    "dict",
    "none",
    "true",
    "missing",
    "[::-1]",
    "[1:]",
    "[-1]",
    ".items()",
    ".get('a')",
    ".split(',')",
    ".format(1)",
    ".strip('x')",
    ".replace('', 'ab')",
    "|tojson",
    "|tojson(indent=2)",
    "|length",
    "|list",
    "|map('upper')",
    "|map(attribute='a.0')",
    "|selectattr('a')",
    "|sort",
    "|unique",
    "|join(',')",
    "|dictsort",
    "|items",
    "|int",
    "|float",
    "|round(3)",
    "|indent(4)",
    "|replace('a', 'bb')",
    "|string",
    "|safe",
    "|first",
    "|last",
    "|min",
    "|sum",
    "|reverse",
    "|default('x')",
    " is mapping",
    " is defined",
    "'%s%05.2f' % ",
    "'{:>9,.2f}'.format(",
    "strftime_now('%Y%d')",
    "{% raw %}",
    "{% endraw %}",
    "{% break %}",
    "recursive",
    "loop(",
    "caller()",
    "{% call m() %}",
    "{% endcall %}",
    "[x for x in y]"
  };

  @Test
  void mutatedTemplatesRenderOrAreRefused() throws IOException {
    Map<String, Object> variables = variables();
    List<String> seeds = seeds();
    long seed = System.nanoTime();
    SplittableRandom random = new SplittableRandom(seed);
    long end = System.nanoTime() + SECONDS * 1_000_000_000;
    long count = 0;
    while (System.nanoTime() < end) {
      String source = mutated(random, seeds.get(random.nextInt(seeds.size())));
      try {
        run(source, variables);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ", template:\n" + source, e);
      }
      count++;
    }
    System.out.println("templates: " + count + " mutated sources, seed " + seed);
  }

  static void run(String source, Map<String, Object> variables) {
    try {
      ChatTemplate.parse("fuzz", source).render(variables, SMALL);
    } catch (TemplateException expected) {
      // The one way to fail.
    }
  }

  private static String mutated(SplittableRandom random, String seed) {
    StringBuilder source = new StringBuilder(seed);
    for (int i = random.nextInt(1, 8); i > 0; i--) {
      int at = random.nextInt(source.length() + 1);
      int length = Math.min(source.length() - at, random.nextInt(1, 20));
      switch (random.nextInt(5)) {
        case 0 -> source.insert(at, PIECES[random.nextInt(PIECES.length)]);
        case 1 -> source.delete(at, at + length);
        case 2 -> source.insert(at, source.substring(at, at + length));
        case 3 -> source.replace(at, at + length, PIECES[random.nextInt(PIECES.length)]);
        default -> source.insert(at, (char) random.nextInt(0x10000));
      }
    }
    return source.toString();
  }

  private static Map<String, Object> variables() throws IOException {
    String json = Files.readString(TestData.path("chat-templates", "semantics.json"));
    Map<String, Object> variables =
        GoldenData.map(GoldenData.map(Json.parse(json)).get("variables"));
    try (ZipFile zip = new ZipFile(TestData.path("chat-templates", "goldens.zip").toFile())) {
      String cases = new String(read(zip, "cases.json"), StandardCharsets.UTF_8);
      variables.putAll(
          GoldenData.map(
              GoldenData.map(GoldenData.map(Json.parse(cases)).get("cases")).get("tool_result")));
    }
    return variables;
  }

  /** The small templates many times over, so that the large ones do not take all the time. */
  private static List<String> seeds() throws IOException {
    List<String> seeds = new ArrayList<>();
    String json = Files.readString(TestData.path("chat-templates", "semantics.json"));
    for (Object element : GoldenData.list(GoldenData.map(Json.parse(json)).get("cases"))) {
      seeds.add(String.valueOf(GoldenData.map(element).get("template")));
    }
    try (ZipFile zip = new ZipFile(TestData.path("chat-templates", "goldens.zip").toFile())) {
      for (String name : zip.stream().map(entry -> entry.getName()).toList()) {
        if (name.endsWith(".jinja")) {
          seeds.add(new String(read(zip, name), StandardCharsets.UTF_8));
        }
      }
    }
    return seeds;
  }

  private static byte[] read(ZipFile zip, String name) throws IOException {
    return zip.getInputStream(zip.getEntry(name)).readAllBytes();
  }
}
