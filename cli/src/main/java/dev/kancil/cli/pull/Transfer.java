package dev.kancil.cli.pull;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.util.function.LongConsumer;

/** Copies bytes. */
final class Transfer {
  private static final int BUFFER_BYTES = 1 << 16;

  private Transfer() {}

  /**
   * Copies all of {@code source} to where {@code target} stands.
   *
   * @param progress hears of bytes copied so far
   * @param digests take in what is copied
   * @return bytes copied
   */
  static long copy(
      InputStream source, FileChannel target, LongConsumer progress, MessageDigest... digests)
      throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long copied = 0;
    for (int n = source.read(buffer); n >= 0; n = source.read(buffer)) {
      for (MessageDigest digest : digests) {
        digest.update(buffer, 0, n);
      }
      ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
      while (bytes.hasRemaining()) {
        target.write(bytes);
      }
      copied += n;
      progress.accept(copied);
    }
    return copied;
  }

  /** Lets {@code digest} take in the first {@code bytes} of {@code source}. */
  static void digest(InputStream source, long bytes, MessageDigest digest) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    for (long left = bytes; left > 0; ) {
      int n = source.read(buffer, 0, (int) Math.min(left, buffer.length));
      if (n < 0) {
        throw new EOFException("it became shorter");
      }
      digest.update(buffer, 0, n);
      left -= n;
    }
  }
}
