package dev.kancil.format;

import dev.kancil.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Maps checkpoints' files, with errors of one line. */
public final class FileMapping {
  private FileMapping() {}

  /**
   * Maps a file to be read.
   *
   * @param kind of file that it should be, such as {@code GGUF}
   * @param arena unmaps it when closed
   * @throws FormatException if it is no file that can be read
   */
  public static MemorySegment map(Path path, String kind, Arena arena) {
    if (Files.isDirectory(path)) {
      throw new FormatException(path + ": this is a folder, not a " + kind + " file");
    }
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      // Opening a pipe would wait for a writer for ever.
      throw new FormatException(path + ": this is not a regular file");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (NoSuchFileException e) {
      throw new FormatException(path + ": there is no such file", e);
    } catch (AccessDeniedException e) {
      throw new FormatException(path + ": no permission to read it", e);
    } catch (IOException e) {
      throw new FormatException(path + ": can't be read: " + e.getMessage(), e);
    }
  }
}
