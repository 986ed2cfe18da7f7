package dev.kancil.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.format.json.Json;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ConversationTest {
  private static final ChatTemplate STRINGS =
      template("{% for m in messages %}{{ m['role'] + ': ' + m['content'] }}\n{% endfor %}");
  private static final ChatTemplate PRINTS =
      template("{% for m in messages %}{{ m.content | string }}{# 'text' #}{% endfor %}");
  private static final ChatTemplate BOTH =
      template(
          """
          {% for m in messages %}
          {% if m.content is string %}{{ m.content }}{% else %}
          {% for p in m.content %}{% if p.type == 'text' %}{{ p['text'] }}{% else %}<image>{% endif %}
          {% endfor %}{% endif %}
          {% endfor %}""");
  private static final ChatTemplate PARTS =
      template(
          "{% for m in messages %}{% for p in m.content if p.type == 'text' %}{{ p.text }}"
              + "{% endfor %}{% endfor %}");

  private static final String TWO_PARTS =
      """
      {"messages": [{"role": "user", "content": [
        {"type": "text", "text": "Describe"}, {"type": "text", "text": " this."}]}]}""";

  @Test
  void toolsAndDocumentsAreAlwaysDefined() {
    Map<String, @Nullable Object> variables =
        prepare(STRINGS, "{\"messages\": [], \"bos_token\": \"<s>\"}");
    assertThat(variables).containsKeys("tools", "documents").containsEntry("bos_token", "<s>");
    ChatTemplate asks = template("{{ tools is defined }} {{ documents is none }}");
    assertThat(asks.render(variables)).isEqualTo("True True");
  }

  @Test
  void toolsOfTheRequestStay() {
    assertThat(prepare(STRINGS, "{\"messages\": [], \"tools\": [1]}"))
        .containsEntry("tools", List.of(1L));
  }

  @Test
  void contentThatIsNullOrAbsentIsAnEmptyString() {
    String request = "{\"messages\": [{\"role\": \"a\", \"content\": null}, {\"role\": \"b\"}]}";
    assertThat(STRINGS.render(prepare(STRINGS, request))).isEqualTo("a: \nb: \n");
  }

  @Test
  void otherNullsOfAMessageAreGone() {
    String request =
        "{\"messages\": [{\"role\": \"a\", \"content\": \"x\", \"tool_calls\": null}]}";
    assertThat(message(prepare(STRINGS, request), 0)).doesNotContainKey("tool_calls");
  }

  @Test
  void argumentsOfToolCallsBecomeObjects() {
    String call = "{\"function\": {\"name\": \"f\", \"arguments\": \"{\\\"a\\\": [1, 2.5]}\"}}";
    String bare = "{\"name\": \"f\", \"arguments\": \" \"}";
    String done = "{\"function\": {\"arguments\": {\"b\": true}}}";
    String calls = "[" + call + ", " + bare + ", " + done + "]";
    ChatTemplate template =
        template(
            "{% for c in messages[0].tool_calls %}{{ (c.function or c).arguments | tojson }}"
                + "{% endfor %}");
    String request = "{\"messages\": [{\"role\": \"a\", \"tool_calls\": " + calls + "}]}";
    assertThat(template.render(prepare(template, request)))
        .isEqualTo("{\"a\": [1, 2.5]}{}{\"b\": true}");
  }

  @Test
  void argumentsThatAreNoObjectAreRefusedByPlace() {
    for (String arguments : List.of("[1]", "5", "{", "{\\\"a\\\": nope}")) {
      String request =
          "{\"messages\": [{\"role\": \"u\"}, {\"role\": \"a\", \"tool_calls\": [{\"function\":"
              + " {\"arguments\": \""
              + arguments
              + "\"}}]}]}";
      assertThatThrownBy(() -> prepare(STRINGS, request))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageStartingWith("messages[1].tool_calls[0]: arguments");
    }
  }

  @Test
  void textPartsBecomeAStringWhereTheTemplateDoesNotHandleThem() {
    assertThat(STRINGS.render(prepare(STRINGS, TWO_PARTS))).isEqualTo("user: Describe this.\n");
    assertThat(PRINTS.render(prepare(PRINTS, TWO_PARTS))).isEqualTo("Describe this.");
  }

  @Test
  void textPartsStayWhereTheTemplateHandlesThem() {
    for (ChatTemplate template : List.of(BOTH, PARTS)) {
      Map<String, @Nullable Object> variables = prepare(template, TWO_PARTS);
      assertThat(message(variables, 0).get("content")).isInstanceOf(List.class);
      assertThat(template.render(variables)).contains("Describe").contains(" this.");
    }
  }

  @Test
  void aStringBecomesAPartWhereTheTemplateHandlesNothingElse() {
    String request = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}";
    assertThat(PARTS.render(prepare(PARTS, request))).isEqualTo("Hi");
    assertThat(message(prepare(BOTH, request), 0)).containsEntry("content", "Hi");
  }

  @Test
  void imagesAreRefusedWhereTheTemplateTakesText() {
    String request =
        "{\"messages\": [{\"role\": \"u\", \"content\": [{\"type\": \"image_url\", \"image_url\":"
            + " {}}]}]}";
    assertThatThrownBy(() -> prepare(STRINGS, request))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageStartingWith("messages[0].content");
    assertThat(BOTH.render(prepare(BOTH, request))).contains("<image>");
  }

  @Test
  void misshapenMessagesAreRefused() {
    for (String request :
        List.of(
            "{}",
            "{\"messages\": null}",
            "{\"messages\": 5}",
            "{\"messages\": [5]}",
            "{\"messages\": [null]}",
            "{\"messages\": [{\"tool_calls\": [5]}]}")) {
      assertThatThrownBy(() -> prepare(STRINGS, request))
          .isInstanceOf(InvalidRequestException.class);
    }
  }

  private static ChatTemplate template(String source) {
    return ChatTemplate.parse("t", source);
  }

  private static Map<String, @Nullable Object> prepare(ChatTemplate template, String request) {
    return Conversation.prepare(template, GoldenData.map(Json.parse(request)));
  }

  private static Map<String, Object> message(Map<String, ?> variables, int place) {
    return GoldenData.map(((List<?>) Objects.requireNonNull(variables.get("messages"))).get(place));
  }
}
