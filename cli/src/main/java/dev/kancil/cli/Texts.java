package dev.kancil.cli;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads texts that people name. */
final class Texts {
  private static final long MOST_BYTES = 1 << 28;

  private Texts() {}

  /** The whole of a UTF-8 file, or of standard input for {@code -}. */
  static String read(String file, Console console) {
    try {
      byte[] bytes;
      if (file.equals("-")) {
        bytes = console.in().readAllBytes();
      } else {
        Path path = Path.of(file);
        if (Files.size(path) > MOST_BYTES) {
          throw new InvalidRequestException(file + " is larger than 256 MiB");
        }
        bytes = Files.readAllBytes(path);
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (NoSuchFileException e) {
      throw new FormatException(file + ": there is no such file", e);
    } catch (CharacterCodingException e) {
      throw new FormatException(file + " is not UTF-8 text", e);
    } catch (IOException e) {
      throw new FormatException(file + ": can't be read: " + e.getMessage(), e);
    }
  }
}
