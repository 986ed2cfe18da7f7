package dev.kancil.format.gguf;

import dev.kancil.FormatException;
import dev.kancil.format.FileMapping;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An open GGUF file, or all parts of a split one. Tensors are views of the mapped file: closing
 * unmaps it, and no tensor may be used after that. A file may hold a vocabulary alone and no
 * tensors.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The specification</a>
 */
public final class GgufFile implements AutoCloseable {
  private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
  private static final int MAX_PARTS = 4096;
  private static final int NEWEST_VERSION = 3;

  private final Path path;
  private final Arena arena;
  private final GgufHeader header;
  private final SequencedMap<String, Tensor> tensors;
  private final long bytes;

  private GgufFile(
      Path path, Arena arena, GgufHeader header, SequencedMap<String, Tensor> tensors, long bytes) {
    this.path = path;
    this.arena = arena;
    this.header = header;
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
    this.bytes = bytes;
  }

  /**
   * Maps a file and checks its header. Of a split file any part may be given; all must lie in the
   * same folder.
   *
   * @throws FormatException if it can't be read, or is damaged or hostile
   * @throws dev.kancil.UnsupportedException if its version or a tensor's type is unknown
   */
  public static GgufFile open(Path path) {
    Arena arena = Arena.ofShared();
    try {
      MemorySegment data = FileMapping.map(path, "GGUF", arena);
      GgufHeader header = GgufHeader.read(path.toString(), data);
      LinkedHashMap<String, Tensor> tensors = new LinkedHashMap<>(header.tensors());
      long bytes = data.byteSize();
      long parts = header.metadata().integer("split.count").orElse(0L);
      if (parts > 1) {
        Matcher name = PART.matcher(String.valueOf(path.getFileName()));
        if (parts > MAX_PARTS || !name.matches() || Long.parseLong(name.group(3)) != parts) {
          throw new FormatException(
              path + ": part of " + parts + " files, but not named NAME-00001-of-0000N.gguf");
        }
        tensors.clear();
        bytes = 0;
        for (int part = 1; part <= parts; part++) {
          Path partPath =
              path.resolveSibling(
                  String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", name.group(1), part, parts));
          MemorySegment partData = FileMapping.map(partPath, "GGUF", arena);
          GgufHeader partHeader = GgufHeader.read(partPath.toString(), partData);
          checkPart(partPath, partHeader, part, parts);
          header = part == 1 ? partHeader : header;
          bytes += partData.byteSize();
          for (Map.Entry<String, Tensor> tensor : partHeader.tensors().entrySet()) {
            if (tensors.put(tensor.getKey(), tensor.getValue()) != null) {
              throw new FormatException(
                  partPath + ": the tensor " + tensor.getKey() + " is in an earlier part, too");
            }
          }
        }
        long expected =
            header.metadata().integer("split.tensors.count").orElse((long) tensors.size());
        if (expected != tensors.size()) {
          throw new FormatException(
              path + ": the parts hold " + tensors.size() + " tensors, not " + expected);
        }
      }
      return new GgufFile(path, arena, header, tensors, bytes);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /**
   * What a file would be that lies in memory instead.
   *
   * @param path what errors call it; nothing need be there
   * @param tensors in file order; any number of them may share data
   * @param arena holds their data, and closes with the file
   */
  public static GgufFile inMemory(
      Path path, GgufMetadata metadata, SequencedMap<String, Tensor> tensors, Arena arena) {
    long bytes = tensors.values().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
    GgufHeader header =
        new GgufHeader(NEWEST_VERSION, GgufHeader.DEFAULT_ALIGNMENT, metadata, tensors);
    return new GgufFile(path, arena, header, new LinkedHashMap<>(tensors), bytes);
  }

  private static void checkPart(Path path, GgufHeader header, int part, long parts) {
    if (header.metadata().integer("split.no").orElse(-1L) != part - 1
        || header.metadata().integer("split.count").orElse(-1L) != parts) {
      throw new FormatException(path + ": its header does not say part " + part + " of " + parts);
    }
  }

  public Path path() {
    return path;
  }

  /** The specification's version that it follows, 2 or 3. */
  public int version() {
    return header.version();
  }

  /** What tensor offsets are multiples of, in bytes. */
  public int alignment() {
    return header.alignment();
  }

  /** Size of the file or of all its parts. */
  public long fileBytes() {
    return bytes;
  }

  /** Metadata; of a split file, the first part's. */
  public GgufMetadata metadata() {
    return header.metadata();
  }

  /** All tensors in file order. */
  public SequencedMap<String, Tensor> tensors() {
    return tensors;
  }

  public Optional<Tensor> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
