package dev.kancil.text.template;

import dev.kancil.TemplateException;
import java.util.List;
import java.util.Map;

/**
 * A model's chat template, ready to render conversations. Immutable: any number of threads may
 * render at once.
 *
 * <p>Templates come with models from anywhere, so they run in a sandbox: they see nothing but the
 * variables that they are given, change none of them, and stop at the limits of {@link
 * TemplateOptions}.
 */
public final class ChatTemplate {
  private final String name;
  private final List<Statement> statements;
  private final ContentForms contentForms;

  private ChatTemplate(String name, String source, List<Statement> statements) {
    this.name = name;
    this.statements = statements;
    this.contentForms = new ContentForms(this, source);
  }

  /**
   * Parses a template.
   *
   * @param name what messages call it: a file, or the model's name
   * @param source the template, in Jinja
   * @throws TemplateException if it is not one; the message gives name and line
   */
  public static ChatTemplate parse(String name, String source) {
    try {
      return new ChatTemplate(name, source, StatementParser.parse(source));
    } catch (EvaluationError error) {
      throw failure(name, error.line(), error.text());
    } catch (StackOverflowError error) {
      throw failure(name, 0, "nested too deep for this thread's stack");
    }
  }

  /** {@link #render(Map, TemplateOptions)} at the present time with the default limits. */
  public String render(Map<String, ?> variables) {
    return render(variables, TemplateOptions.DEFAULT);
  }

  /**
   * Renders exactly the given variables; {@link Conversation#prepare} makes them from a request.
   *
   * @param variables maps with strings as keys, iterables, strings, numbers, booleans and nulls,
   *     nested up to 200 deep; they are copied first
   * @return the text of the prompt, special tokens as the template writes them
   * @throws TemplateException if the template refuses the conversation, fails on it, or exceeds a
   *     limit; the message gives the template's name and the line
   */
  public String render(Map<String, ?> variables, TemplateOptions options) {
    Evaluation evaluation = null;
    try {
      evaluation = new Evaluation(options, variables);
      return evaluation.run(statements);
    } catch (EvaluationError error) {
      throw failure(name, evaluation == null ? 0 : evaluation.line(), error.text());
    } catch (StackOverflowError error) {
      throw failure(name, 0, "nested too deep for this thread's stack");
    }
  }

  public String name() {
    return name;
  }

  ContentForms contentForms() {
    return contentForms;
  }

  private static TemplateException failure(String name, int line, String message) {
    String place = line == 0 ? "" : ", line " + line;
    return new TemplateException(
        "chat template " + Values.shortened(name) + place + ": " + Values.shortened(message));
  }

  @Override
  public String toString() {
    return "ChatTemplate[" + name + "]";
  }
}
