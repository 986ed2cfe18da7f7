package dev.kancil.cli.pull;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;

/** Copies bytes. */
final class Transfer {
  private static final int BUFFER_BYTES = 1 << 16;

  private Transfer() {}

  /**
   * Copies all of {@code source} to where {@code target} stands.
   *
   * @param before bytes that were done earlier, as {@code progress} counts them
   * @param digests take in what is copied
   * @return bytes copied
   */
  static long copy(
      InputStream source,
      FileChannel target,
      Progress progress,
      long before,
      MessageDigest... digests)
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
      progress.done(before + copied);
    }
    return copied;
  }
}
