package dev.kancil.text.template;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.format.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes a template's variables from a request as clients send it, in the form of OpenAI's chat
 * completions: templates are written for what Hugging Face transformers hands them, which differs
 * in small ways.
 */
public final class Conversation {
  private final ChatTemplate template;

  private Conversation(ChatTemplate template) {
    this.template = template;
  }

  /**
   * The variables to render with:
   *
   * <ul>
   *   <li>{@code tools} and {@code documents} are there, null where the request has none;
   *   <li>a message's content that is null or absent is an empty string, and its other nulls are
   *       gone;
   *   <li>a tool call's arguments that are a string of JSON are the object it stands for;
   *   <li>content that is a list of text parts stays one where the template handles parts and
   *       becomes a string where it does not; a string becomes a part for a template that handles
   *       nothing else.
   * </ul>
   *
   * <p>Everything else is passed on as it is. The request itself is not changed.
   *
   * @param request {@code messages} (a list of maps), and whatever else the template knows: {@code
   *     tools}, {@code documents}, {@code bos_token}, {@code eos_token}, {@code
   *     add_generation_prompt} …
   * @throws InvalidRequestException if messages are missing or misshapen, if arguments are no JSON
   *     object, or if there are parts other than text for a template that knows no parts
   */
  public static Map<String, @Nullable Object> prepare(
      ChatTemplate template, Map<String, ? extends @Nullable Object> request) {
    Map<String, @Nullable Object> variables = new LinkedHashMap<>(request);
    variables.putIfAbsent("tools", null);
    variables.putIfAbsent("documents", null);
    if (!(request.get("messages") instanceof Iterable<?> messages)) {
      throw new InvalidRequestException("messages: no list of messages");
    }
    Conversation conversation = new Conversation(template);
    List<Object> prepared = new ArrayList<>();
    for (Object message : messages) {
      String place = place("messages[", prepared.size());
      prepared.add(conversation.message(place, map(place, message)));
    }
    variables.put("messages", prepared);
    return variables;
  }

  /** Without the operator +, whose first use costs milliseconds of the time to the first token. */
  private static String place(String list, int element) {
    return list.concat(Integer.toString(element)).concat("]");
  }

  private Map<String, @Nullable Object> message(String place, Map<?, ?> message) {
    Map<String, @Nullable Object> prepared = withoutNulls(place, message);
    prepared.put("content", content(place, prepared.get("content")));
    if (prepared.get("tool_calls") instanceof Iterable<?> calls) {
      List<Object> preparedCalls = new ArrayList<>();
      for (Object call : calls) {
        String callPlace = place(place.concat(".tool_calls["), preparedCalls.size());
        preparedCalls.add(toolCall(callPlace, map(callPlace, call)));
      }
      prepared.put("tool_calls", preparedCalls);
    }
    return prepared;
  }

  private static Map<String, @Nullable Object> withoutNulls(String place, Map<?, ?> map) {
    Map<String, @Nullable Object> kept = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      if (!(entry.getKey() instanceof String name)) {
        throw new InvalidRequestException(place + ": a key that is not a string");
      }
      if (entry.getValue() != null || name.equals("content")) {
        kept.put(name, entry.getValue());
      }
    }
    return kept;
  }

  private Object content(String place, @Nullable Object content) {
    if (content == null) {
      return "";
    }
    if (content instanceof String) {
      return template.contentForms().needsParts()
          ? List.of(Map.of("type", "text", "text", content))
          : content;
    }
    if (!(content instanceof Iterable<?> parts) || template.contentForms().takesParts()) {
      return content;
    }
    StringBuilder text = new StringBuilder();
    for (Object part : parts) {
      if (part instanceof String string) {
        text.append(string);
      } else if (part instanceof Map<?, ?> map && map.get("text") instanceof String string) {
        text.append(string);
      } else {
        throw new InvalidRequestException(
            place + ".content: the chat template of this model takes text parts only");
      }
    }
    return text.toString();
  }

  /** Both of {@code {"function": {"name", "arguments"}}} and what is inside of it are in use. */
  private static Map<String, @Nullable Object> toolCall(String place, Map<?, ?> call) {
    Map<String, @Nullable Object> prepared = withoutNulls(place, call);
    if (prepared.get("function") instanceof Map<?, ?> function) {
      prepared.put("function", toolCall(place, function));
    } else if (prepared.get("arguments") instanceof String arguments) {
      prepared.put("arguments", arguments(place, arguments));
    }
    return prepared;
  }

  private static Object arguments(String place, String arguments) {
    if (arguments.isBlank()) {
      return Map.of();
    }
    try {
      if (Json.parse(arguments) instanceof Map<?, ?> object) {
        return object;
      }
    } catch (FormatException e) {
      throw new InvalidRequestException(place + ": arguments: " + e.getMessage());
    }
    throw new InvalidRequestException(place + ": arguments are no JSON object");
  }

  private static Map<?, ?> map(String place, @Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new InvalidRequestException(place + ": no object");
  }
}
