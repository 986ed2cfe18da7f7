package dev.kancil.backend.accelerator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Built programs on disk, named by a hash of all that they depend on: source, options, device and
 * driver. Each file begins with the hash of what follows: a damaged one is passed over and built
 * anew. Where the folder can't be written, nothing is kept.
 */
public final class BinaryCache {
  /** Bytes of a program beyond which something is wrong. */
  public static final int LARGEST = 64 << 20;

  private static final int HASH_BYTES = 32;

  private final Path folder;
  private final String device;

  /**
   * A cache of one device.
   *
   * @param folder where files lie, made when the first is
   * @param device the driver's words for the device, its version and its own
   */
  public BinaryCache(Path folder, String device) {
    this.folder = folder;
    this.device = device;
  }

  /** What was kept; null if nothing was, or it is damaged. */
  public byte @Nullable [] find(String source, String options) {
    Path file = file(source, options);
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > LARGEST + HASH_BYTES) {
        return null;
      }
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length <= HASH_BYTES) {
        return null;
      }
      byte[] binary = Arrays.copyOfRange(bytes, HASH_BYTES, bytes.length);
      return Arrays.equals(hash(binary), Arrays.copyOf(bytes, HASH_BYTES)) ? binary : null;
    } catch (IOException e) {
      return null;
    }
  }

  /** Keeps a program, if it can. */
  public void keep(String source, String options, byte[] binary) {
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "new", ".part");
      try {
        ByteBuffer content = ByteBuffer.allocate(HASH_BYTES + binary.length);
        Files.write(part, content.put(hash(binary)).put(binary).array());
        Files.move(part, file(source, options), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      // It is built again next time.
    }
  }

  /** Forgets a program that the driver won't have. */
  public void forget(String source, String options) {
    try {
      Files.deleteIfExists(file(source, options));
    } catch (IOException e) {
      // It is passed over next time, too.
    }
  }

  private Path file(String source, String options) {
    byte[] name = hash((device + "\0" + options + "\0" + source).getBytes(StandardCharsets.UTF_8));
    return folder.resolve(HexFormat.of().formatHex(name) + ".bin");
  }

  private static byte[] hash(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
