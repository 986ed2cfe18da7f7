package dev.kancil.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.TemplateException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What the comparison with Python cannot show; the language itself is in SemanticsGoldenTest. */
class ChatTemplateTest {
  @Test
  void aSyntaxErrorNamesTemplateAndLine() {
    assertThatThrownBy(() -> ChatTemplate.parse("model.gguf", "a\n\n{% if x %}\n{{ 1 + }}"))
        .isInstanceOf(TemplateException.class)
        .hasMessage(
            "chat template model.gguf, line 4: expected an expression, got end of print"
                + " statement");
  }

  @Test
  void anErrorNamesTheLineItHappensOn() {
    String source =
        "{% macro m() %}\n{{ raise_exception('no') }}\n{% endmacro %}\n\n{{ 1 }}\n{{ m() }}\n";
    assertThatThrownBy(() -> ChatTemplate.parse("t", source).render(Map.of()))
        .isInstanceOf(TemplateException.class)
        .hasMessage("chat template t, line 2: no");
    assertThatThrownBy(
            () -> ChatTemplate.parse("t", "\n\n{% if 1 / 0 %}{% endif %}").render(Map.of()))
        .hasMessage("chat template t, line 3: division by zero");
  }

  @Test
  void messagesStayOnOneLine() {
    assertThatThrownBy(
            () -> ChatTemplate.parse("t", "{{ raise_exception('a\\nb\\r\\tc') }}").render(Map.of()))
        .hasMessage("chat template t, line 1: a b  c");
  }

  @Test
  void everyKindOfJavaNumberIsANumber() {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put(
        "n",
        Arrays.asList(
            1, 2L, (short) 3, (byte) 4, 5.5, 6.5f, BigInteger.TEN, new BigDecimal("7.25"), null));
    assertThat(ChatTemplate.parse("t", "{{ n }}").render(variables))
        .isEqualTo("[1, 2, 3, 4, 5.5, 6.5, 10, 7.25, None]");
  }

  @Test
  void theVariablesAreLeftAsTheyWere() {
    List<Object> list = new ArrayList<>(List.of(1));
    Map<String, Object> variables = new LinkedHashMap<>(Map.of("list", list));
    String source = "{% set list = list + [2] %}{% set ns = namespace(list=list) %}{{ list }}";
    assertThat(ChatTemplate.parse("t", source).render(variables)).isEqualTo("[1, 2]");
    assertThat(list).containsExactly(1);
    assertThat(variables).containsOnlyKeys("list");
  }

  @Test
  void nothingStaysFromOneRenderingToTheNext() {
    ChatTemplate template =
        ChatTemplate.parse(
            "t", "{{ seen is defined }}{% set seen = 1 %}{% set ns = namespace() %}");
    assertThat(template.render(Map.of())).isEqualTo("False");
    assertThat(template.render(Map.of())).isEqualTo("False");
  }

  @Test
  void theClockIsTheCallersOrTheMachines() {
    ChatTemplate template = ChatTemplate.parse("t", "{{ strftime_now('%d %B %Y') }}");
    LocalDateTime then = LocalDateTime.of(2024, 2, 29, 1, 2, 3);
    assertThat(template.render(Map.of(), TemplateOptions.DEFAULT.withNow(then)))
        .isEqualTo("29 February 2024");
    assertThat(template.render(Map.of())).isNotEmpty().doesNotContain("2024");
  }

  @Test
  void manyThreadsRenderOneTemplateAtOnce() throws Exception {
    ChatTemplate template =
        ChatTemplate.parse(
            "t",
            "{% macro m(x) %}<{{ x }}>{% endmacro %}{% set ns = namespace(s='') %}"
                + "{% for i in range(50) %}{% set ns.s = ns.s ~ m(n) %}{% endfor %}{{ ns.s }}");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> texts = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        int n = i;
        texts.add(threads.submit(() -> template.render(Map.of("n", n))));
      }
      for (int i = 0; i < 100; i++) {
        assertThat(texts.get(i).get()).isEqualTo(("<" + i + ">").repeat(50));
      }
    }
  }

  @Test
  void aLongConversationStaysWithinTheDefaultLimits() {
    ChatTemplate template =
        ChatTemplate.parse(
            "t",
            "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content | trim + '\\n' }}"
                + "{% endfor %}");
    List<Object> messages = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      messages.add(
          Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "word ".repeat(400)));
    }
    assertThat(template.render(Map.of("messages", messages))).hasSizeGreaterThan(3_900_000);
  }

  @Test
  void limitsOutsideOfReasonAreRefused() {
    assertThatThrownBy(() -> new TemplateOptions(null, 0, 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TemplateOptions(null, 1, 1001, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
