package dev.kancil.backend.cuda;

import dev.kancil.FormatException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a {@link KernelArchive} holds: a line for each kernel, with its target, a hash of what it
 * was compiled from, its bytes, and a hash of these.
 */
record KernelIndex(SequencedMap<Key, Entry> entries) {
  /** Bytes of a kernel's PTX beyond which something is wrong. */
  static final int LARGEST = 16 << 20;

  private static final String FIRST_LINE = "kancil kernels 1";

  private static final Pattern LINE =
      Pattern.compile("([0-9]{2}a?) ([0-9a-f]{64}) ([0-9]{1,8}) ([0-9a-f]{64})");

  /**
   * A kernel.
   *
   * @param source a hash of its source and the compiler's options
   */
  record Key(KernelTarget target, String source) {
    static Key of(KernelTarget target, String source, String options) {
      return new Key(target, hashOf((options + "\0" + source).getBytes(StandardCharsets.UTF_8)));
    }

    /** Where an archive has it, below its folder. */
    String path() {
      return target.suffix() + "/" + source + ".ptx";
    }
  }

  /**
   * A kernel's PTX.
   *
   * @param hash of the bytes
   */
  record Entry(int bytes, String hash) {
    static Entry of(byte[] ptx) {
      return new Entry(ptx.length, hashOf(ptx));
    }
  }

  private static String hashOf(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  String text() {
    StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
    entries.forEach(
        (key, entry) ->
            text.append(key.target().suffix() + " " + key.source())
                .append(" " + entry.bytes() + " " + entry.hash() + "\n"));
    return text.toString();
  }

  /**
   * Reads an index.
   *
   * @param name what errors call the archive
   * @throws FormatException if it is none
   */
  static KernelIndex parse(String name, String text) {
    SequencedMap<Key, Entry> entries = new LinkedHashMap<>();
    String[] lines = text.split("\n", -1);
    if (!lines[0].equals(FIRST_LINE) || !lines[lines.length - 1].isEmpty()) {
      throw new FormatException(
          name + ": its index of kernels is cut off, or of a version that is not known");
    }
    for (int i = 1; i < lines.length - 1; i++) {
      String place = name + ": line " + (i + 1) + " of its index of kernels";
      Matcher line = LINE.matcher(lines[i]);
      if (!line.matches()) {
        throw new FormatException(place + " names no kernel");
      }
      KernelTarget target =
          KernelTarget.named(line.group(1))
              .orElseThrow(() -> new FormatException(place + ": no target is " + line.group(1)));
      int bytes = Integer.parseInt(line.group(3));
      if (bytes < 1 || bytes > LARGEST) {
        throw new FormatException(place + ": no kernel has " + bytes + " bytes");
      }
      if (entries.put(new Key(target, line.group(2)), new Entry(bytes, line.group(4))) != null) {
        throw new FormatException(place + " is there twice");
      }
    }
    if (entries.isEmpty()) {
      throw new FormatException(name + ": there are no kernels in it");
    }
    return new KernelIndex(entries);
  }
}
