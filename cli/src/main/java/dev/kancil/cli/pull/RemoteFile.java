package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.net.URI;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A file that can be fetched.
 *
 * @param name what it is called here, in a folder of its own at most
 * @param bytes its size; -1 if that is not known
 */
record RemoteFile(URI address, String name, long bytes, Optional<Checksum> checksum) {
  /**
   * At most one folder; no separators of other systems, nothing hidden, nothing that could be a
   * device or an option.
   */
  private static final Pattern NAME =
      Pattern.compile("([A-Za-z0-9_][A-Za-z0-9._+-]*/)?[A-Za-z0-9_][A-Za-z0-9._+-]*");

  RemoteFile {
    if (!NAME.matcher(name).matches() || name.length() > 250) {
      throw new FormatException(address + ": a file can't be called " + name + " here");
    }
  }
}
