package dev.kancil.text.template;

import dev.kancil.TemplateException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which forms of a message's content a template writes out: a string, a list of parts, or both. No
 * template says so; what each form of one small message renders to does. Tried once, when first
 * asked.
 */
final class ContentForms {
  private static final String MARK = "kancil8f3c";

  private final ChatTemplate template;
  private final boolean mentionsText;
  private volatile @Nullable Boolean parts;
  private volatile @Nullable Boolean strings;

  ContentForms(ChatTemplate template, String source) {
    this.template = template;
    // To write parts out a template has to name their field.
    this.mentionsText =
        source.contains("'text'") || source.contains("\"text\"") || source.contains(".text");
  }

  boolean takesParts() {
    Boolean known = parts;
    if (known == null) {
      known = mentionsText && writes(List.of(Map.of("type", "text", "text", MARK)));
      parts = known;
    }
    return known;
  }

  /** Whether a string would vanish or fail where a list of parts would not. */
  boolean needsParts() {
    if (!mentionsText) {
      return false;
    }
    Boolean known = strings;
    if (known == null) {
      known = writes(MARK);
      strings = known;
    }
    return !known && takesParts();
  }

  private boolean writes(Object content) {
    Map<String, @Nullable Object> variables = new LinkedHashMap<>();
    variables.put("messages", List.of(Map.of("role", "user", "content", content)));
    variables.put("bos_token", "");
    variables.put("eos_token", "");
    variables.put("add_generation_prompt", false);
    variables.put("documents", null);
    variables.put("tools", null);
    return writes(variables) || writes(withTools(variables));
  }

  /** Some templates work only where there is a list of tools, even an empty one. */
  private static Map<String, @Nullable Object> withTools(Map<String, @Nullable Object> variables) {
    variables.put("tools", List.of());
    return variables;
  }

  private boolean writes(Map<String, @Nullable Object> variables) {
    try {
      String text = template.render(variables);
      // A template that prints whatever it is given prints a list too, braces and all.
      return text.contains(MARK)
          && !text.contains("text': '".concat(MARK))
          && !text.contains("text\": \"".concat(MARK));
    } catch (TemplateException refused) {
      return false;
    }
  }
}
