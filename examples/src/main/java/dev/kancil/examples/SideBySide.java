package dev.kancil.examples;

import dev.kancil.Completion;
import dev.kancil.Generation;
import dev.kancil.GenerationOptions;
import dev.kancil.Model;
import dev.kancil.ModelOptions;
import dev.kancil.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Continues several texts at once, in common steps: {@code SideBySide MODEL.gguf TEXT…}. Together
 * they take far less time than one after the other.
 */
public final class SideBySide {
  private SideBySide() {}

  public static void main(String[] arguments) {
    List<String> texts = List.of(arguments).subList(1, arguments.length);
    ModelOptions options = ModelOptions.builder().sessions(texts.size()).build();
    try (Model model = Model.open(Path.of(arguments[0]), options)) {
      List<Generation> generations = new ArrayList<>();
      for (String text : texts) {
        Session session = model.session();
        generations.add(
            session.generate(text, GenerationOptions.builder().greedy().maxTokens(40).build()));
      }
      for (int i = 0; i < texts.size(); i++) {
        Completion completion = generations.get(i).await();
        System.out.println(texts.get(i) + completion.text());
      }
    }
  }
}
