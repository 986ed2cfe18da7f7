package dev.kancil.examples;

import dev.kancil.ChatMessage;
import dev.kancil.Chunk;
import dev.kancil.Generation;
import dev.kancil.GenerationOptions;
import dev.kancil.Model;
import dev.kancil.Session;
import java.nio.file.Path;
import java.util.List;

/** Prints the answer to one question as it comes: {@code OneAnswer MODEL.gguf QUESTION}. */
public final class OneAnswer {
  private OneAnswer() {}

  public static void main(String[] arguments) {
    try (Model model = Model.open(Path.of(arguments[0]));
        Session session = model.session()) {
      List<ChatMessage> conversation = List.of(ChatMessage.user(arguments[1]));
      GenerationOptions options =
          GenerationOptions.builder().maxTokens(200).temperature(0.7f).seed(1).build();
      try (Generation answer = session.chat(conversation, options)) {
        for (Chunk chunk : answer) {
          System.out.print(chunk.text());
        }
        System.out.println();
      }
    }
  }
}
