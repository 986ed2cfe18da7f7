package dev.kancil.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.TemplateException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostileTemplateTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ m() ~ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ range(10 ** 18) }}",
        "{{ range(0, -(10 ** 18), -1) }}",
        "{{ range(100001) }}",
        "{{ 'x' * 10 ** 18 }}",
        "{{ 'x' * 2147483647 }}",
        "{{ [1] * 10 ** 18 }}",
        "{{ [[]] * 2000000000 }}",
        "{{ 'a' | indent(2000000000, true) }}",
        "{{ ('a\\n' * 100000) | indent(100000) }}",
        "{{ 'a'.ljust(2000000000) }}",
        "{{ 'a'.center(10 ** 18) }}",
        "{{ '%2000000000d' % 5 }}",
        "{{ '%.2000000000f' % 5 }}",
        "{{ '{:>99999999999999999999}'.format(5) }}",
        "{{ 'aaaaaaaaaa' * 1000 | replace('a', 'b' * 100000) }}",
        "{{ ('a' * 100000) | replace('', 'b' * 100000) }}",
        "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
        "{{ (',' * 3000000).split(',') | join('x' * 100000) }}",
        "{{ [1] | tojson(indent=2000000000) }}",
        "{{ [[[[[[[[1]]]]]]]] | tojson(indent=1000000) }}",
        "{% set ns = namespace(s='aaaaaaaaaa') %}{% for i in range(64) %}"
            + "{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaaaa') %}{% for i in range(64) %}"
            + "{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(64) %}"
            + "{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(64) %}"
            + "{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(64) %}"
            + "{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% set a = namespace(l=[1]) %}{% set b = namespace(l=[1]) %}{% for i in range(64) %}"
            + "{% set a.l = [a.l, a.l] %}{% set b.l = [b.l, b.l] %}{% endfor %}"
            + "{{ a.l == b.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(5000) %}"
            + "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(5000) %}"
            + "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.l = [ns] %}{{ ns.l | string }}",
        "{% for a in range(90000) %}{{ 'x' * 100000 }}{% endfor %}",
        "{% for a in range(90000) %}{% set x %}{{ 'x' * 100000 }}{% endset %}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% for a in range(90000) %}"
            + "{% if (s ~ 'b') in s %}{% endif %}{% endfor %}",
        "{% set s = 'a' * 4000000 %}{% set t = 'a' * 2000000 ~ 'b' %}"
            + "{% for a in range(90000) %}{% if t in s %}{% endif %}{% endfor %}",
        "{% set s = 'a' * 4000000 %}{% set t = 'b' ~ 'a' * 2000000 %}"
            + "{% for a in range(90000) %}{{ s.rfind(t) }}{% endfor %}",
        "{% set s = 'a' * 4000000 %}{% for a in range(90000) %}{{ s == s ~ '' }}{% endfor %}",
        "{% set s = 'a' * 4000000 %}{% for a in range(90000) %}{{ s | length }}{% endfor %}",
        "{% set l = range(99999) %}{% for a in l %}{{ a in l }}{% endfor %}",
        "{% set l = range(99999) %}{% for a in l %}{{ l | sort | first }}{% endfor %}",
        "{% set s = 'ab' * 1000000 %}{{ s.strip('ba' * 1000000) }}",
        "{{ ('ΐ' * 500000) | upper | nosuchfilter }}",
        "{{ ('İ' * 500000) | lower | nosuchfilter }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 9223372036854775807 * 2 }}",
        "{{ -9223372036854775807 - 2 }}",
        "{{ (-9223372036854775807 - 1) // -1 }}",
        "{{ 10 ** 400 }}",
        "{{ 2 ** 9223372036854775807 }}",
        "{{ 99999999999999999999999999 }}",
        "{{ 1e300 | int }}",
        "{{ '\\ud800' * 3 | nosuchfilter }}",
        "{{ 'x'.__class__.__mro__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ raise_exception('a' * 1000000) }}",
      })
  void aTemplateThatWantsTooMuchEndsInOneLineSoon(String source) {
    Assertions.assertTimeoutPreemptively(
        SOON,
        () ->
            assertThatThrownBy(() -> ChatTemplate.parse("t", source).render(Map.of()))
                .isInstanceOf(TemplateException.class)
                .hasMessageStartingWith("chat template t")
                .message()
                .hasLineCount(1)
                .hasSizeLessThan(700));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        "[",
        "{1:",
        "not ",
        "-",
        "- ",
        "a(",
        "a[",
        "1 if ",
        "1 if 1 else ",
        "a|f(",
        "a is f(",
        "a is x ",
        "a.b",
        "a+",
        "a~",
        "a and ",
        "a or ",
        "a**",
        "a|f",
        "a is defined ",
        "a if b ",
        "a.0",
        "'a'",
        "a==",
        "a in ",
        "a()"
      })
  void expressionsOfAnyDepthAndLengthEndInAMessage(String repeated) {
    for (int count : new int[] {99, 1000, 200_000 / repeated.length()}) {
      assertOnlyTemplateExceptions("{{ " + repeated.repeat(count) + " }}");
      assertOnlyTemplateExceptions("{{ " + repeated.repeat(count) + "1 }}");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% if true %}",
        "{% for a in [1] %}",
        "{% set a %}",
        "{% macro m() %}",
        "{% filter f %}",
        "{% with a = 1 %}",
        "{% generation %}",
        "{% call m() %}",
        "{% if true %}{% else %}",
        "{% if a %}{% endif %}",
        "{{ 1 }}",
        "{#",
        "{%",
        "{{",
        "{% raw %}",
        "{% set (",
        "{% for ("
      })
  void blocksOfAnyDepthAndNumberEndInAMessage(String repeated) {
    for (int count : new int[] {99, 1000, 500_000 / repeated.length()}) {
      assertOnlyTemplateExceptions(repeated.repeat(count));
    }
  }

  @Test
  void whatPythonObjectsHideInsideIsNotThere() {
    String source = "{{ ''.format.__globals__ }}{{ range.__init__ }}{{ [].__class__ is defined }}";
    assertThat(ChatTemplate.parse("t", source).render(Map.of())).isEqualTo("False");
  }

  @Test
  void aSourceBeyondAMillionCharactersIsRefused() {
    assertThatThrownBy(() -> ChatTemplate.parse("t", " ".repeat((1 << 20) + 1)))
        .isInstanceOf(TemplateException.class);
  }

  @Test
  void aCallersSmallStackIsNoCrash() throws InterruptedException {
    String source = "{% macro m() %}{{ [[[[m()]]]] }}{% endmacro %}{{ m() }}";
    List<Throwable> thrown = new ArrayList<>();
    TemplateOptions deepest = new TemplateOptions(null, 1_000_000, 1000, 1 << 20);
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                ChatTemplate.parse("t", source).render(Map.of(), deepest);
              } catch (Throwable e) {
                thrown.add(e);
              }
            },
            "small",
            128 << 10);
    thread.start();
    thread.join();
    assertThat(thrown).singleElement().isInstanceOf(TemplateException.class);
  }

  @Test
  void variablesThatContainThemselvesAreRefused() {
    List<Object> list = new ArrayList<>();
    list.add(list);
    ChatTemplate template = ChatTemplate.parse("t", "x");
    assertThatThrownBy(() -> template.render(Map.of("list", list)))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("nest deeper");
  }

  @Test
  void variablesThatAreNoDataAreRefused() {
    ChatTemplate template = ChatTemplate.parse("t", "x");
    for (Object value : List.of(new Object(), Map.of(1, 2), new int[1], Thread.currentThread())) {
      assertThatThrownBy(() -> template.render(Map.of("value", value)))
          .isInstanceOf(TemplateException.class);
    }
  }

  @Test
  void eachLimitIsAMessageOfItsOwn() {
    ChatTemplate template =
        ChatTemplate.parse("t", "{% for a in range(100) %}{{ [[a ~ 'some text']] }}{% endfor %}");
    assertThatThrownBy(
            () -> template.render(Map.of(), new TemplateOptions(null, 100, 100, 100_000)))
        .hasMessageContaining("more than 100 steps");
    assertThatThrownBy(
            () -> template.render(Map.of(), new TemplateOptions(null, 100_000, 3, 100_000)))
        .hasMessageContaining("nested deeper than 3");
    assertThatThrownBy(
            () -> template.render(Map.of(), new TemplateOptions(null, 100_000, 100, 1000)))
        .hasMessageContaining("more than 1000 characters");
  }

  private static void assertOnlyTemplateExceptions(String source) {
    Assertions.assertTimeoutPreemptively(
        SOON,
        () -> {
          try {
            ChatTemplate.parse("t", source).render(Map.of());
          } catch (TemplateException e) {
            assertThat(e).message().hasLineCount(1);
          }
        });
  }
}
