package dev.kancil.cli.pull;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What tells whether a file is the one that was meant.
 *
 * @param hexadecimal in small letters
 */
record Checksum(Kind kind, String hexadecimal) {
  private static final Pattern HEXADECIMAL = Pattern.compile("[0-9a-f]+");

  /** How it is computed. */
  enum Kind {
    /** Of the file's bytes; the hub has it of large files. */
    SHA_256("SHA-256", 64),
    /** SHA-1 of the file's bytes behind git's header, which the hub has of the others. */
    GIT_BLOB("git hash", 40);

    private final String title;
    private final int digits;

    Kind(String title, int digits) {
      this.title = title;
      this.digits = digits;
    }
  }

  /** Reads what the hub states; empty if it is no such checksum. */
  static Optional<Checksum> parse(Kind kind, String text) {
    String digits = text.toLowerCase(Locale.ROOT);
    return digits.length() == kind.digits && HEXADECIMAL.matcher(digits).matches()
        ? Optional.of(new Checksum(kind, digits))
        : Optional.empty();
  }

  /**
   * Reads the entity tag of a file of the hub, which is one or the other; empty if it is neither.
   */
  static Optional<Checksum> ofTag(String tag) {
    String digits = tag.replaceFirst("^W/", "").replace("\"", "");
    return parse(Kind.SHA_256, digits).or(() -> parse(Kind.GIT_BLOB, digits));
  }

  /**
   * A digest that is to take in all of a file.
   *
   * @param bytes size of the file
   */
  MessageDigest begin(long bytes) {
    return switch (kind) {
      case SHA_256 -> Digest.sha256();
      case GIT_BLOB -> {
        MessageDigest digest = Digest.sha1();
        digest.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
        yield digest;
      }
    };
  }

  @Override
  public String toString() {
    return kind.title + " " + hexadecimal;
  }
}
