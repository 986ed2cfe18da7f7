package dev.kancil.format;

import dev.kancil.FormatException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Small files of text beside a model. */
public final class TextFile {
  private TextFile() {}

  /**
   * The text of a file that is not absurdly large.
   *
   * @param mostBytes how large it may be
   * @throws FormatException if it is larger, is not there, can't be read, or is no UTF-8
   */
  public static String read(Path path, long mostBytes) {
    try {
      if (Files.size(path) > mostBytes) {
        throw new FormatException(path + ": it has " + Files.size(path) + " bytes");
      }
      return Files.readString(path);
    } catch (CharacterCodingException e) {
      throw new FormatException(path + ": it is not UTF-8", e);
    } catch (NoSuchFileException e) {
      throw new FormatException(path + ": there is no such file", e);
    } catch (IOException e) {
      throw new FormatException(path + ": it can't be read: " + e.getMessage(), e);
    }
  }
}
