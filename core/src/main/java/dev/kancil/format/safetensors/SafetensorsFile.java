package dev.kancil.format.safetensors;

import dev.kancil.FormatException;
import dev.kancil.format.FileMapping;
import dev.kancil.format.TextFile;
import dev.kancil.format.json.Json;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * An open safetensors file, or all shards of which an index tells. Tensors are views of the mapped
 * files: closing unmaps them, and no tensor may be used after that.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">The format</a>
 */
public final class SafetensorsFile implements AutoCloseable {
  /** How the names of indexes end. */
  public static final String INDEX = ".safetensors.index.json";

  private static final String KIND = "safetensors";
  private static final long MOST_INDEX_BYTES = 100_000_000;

  private final Path path;
  private final Arena arena;
  private final Map<String, String> metadata;
  private final SequencedMap<String, Tensor> tensors;

  private SafetensorsFile(
      Path path, Arena arena, Map<String, String> metadata, SequencedMap<String, Tensor> tensors) {
    this.path = path;
    this.arena = arena;
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
  }

  /**
   * Maps a file, or the shards of an index beside them, and checks all headers.
   *
   * @throws FormatException if one can't be read, or is damaged or hostile
   * @throws dev.kancil.UnsupportedException if a tensor's type is unknown
   */
  public static SafetensorsFile open(Path path) {
    Arena arena = Arena.ofShared();
    try {
      if (String.valueOf(path.getFileName()).endsWith(INDEX)) {
        return new SafetensorsFile(path, arena, Map.of(), shards(path, arena));
      }
      SafetensorsHeader header = header(path, arena);
      return new SafetensorsFile(path, arena, header.metadata(), header.tensors());
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /**
   * What a file would be that lies in memory instead, checked as one is.
   *
   * @param path what errors call it; nothing need be there
   * @param data must outlive the file, which does not close it
   */
  public static SafetensorsFile inMemory(Path path, MemorySegment data) {
    SafetensorsHeader header = SafetensorsHeader.read(path.toString(), data);
    return new SafetensorsFile(path, Arena.ofShared(), header.metadata(), header.tensors());
  }

  private static SafetensorsHeader header(Path path, Arena arena) {
    return SafetensorsHeader.read(path.toString(), FileMapping.map(path, KIND, arena));
  }

  /** All tensors of an index; a shard holds no others. */
  private static SequencedMap<String, Tensor> shards(Path index, Arena arena) {
    Map<String, SafetensorsHeader> headers = new LinkedHashMap<>();
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, String> entry : shardNames(index).entrySet()) {
      String name = entry.getKey();
      String shard = entry.getValue();
      if (!shard.endsWith(".safetensors") || shard.contains("/") || shard.contains("\\")) {
        throw new FormatException(index + ": " + shard + " is no name of a safetensors file");
      }
      SafetensorsHeader header =
          headers.computeIfAbsent(shard, _ -> header(index.resolveSibling(shard), arena));
      Tensor tensor = header.tensors().get(name);
      if (tensor == null) {
        throw new FormatException(index + ": " + shard + " has no tensor " + name);
      }
      tensors.put(name, tensor);
    }
    headers.forEach(
        (shard, header) -> {
          for (String name : header.tensors().keySet()) {
            if (!tensors.containsKey(name)) {
              throw new FormatException(
                  index + ": " + shard + " has the tensor " + name + ", which is not listed");
            }
          }
        });
    return tensors;
  }

  private static Map<String, String> shardNames(Path index) {
    Object parsed = Json.parse(TextFile.read(index, MOST_INDEX_BYTES));
    Map<String, String> names = new LinkedHashMap<>();
    if (parsed instanceof Map<?, ?> members && members.get("weight_map") instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        if (!(entry.getValue() instanceof String shard)) {
          throw new FormatException(index + ": the shard of " + entry.getKey() + " is no text");
        }
        names.put((String) entry.getKey(), shard);
      }
    }
    if (names.isEmpty()) {
      throw new FormatException(index + ": it lists no tensors under weight_map");
    }
    return names;
  }

  public Path path() {
    return path;
  }

  /** Texts that the file brings; none of an index. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** All tensors by name, in the order of the header or the index. */
  public SequencedMap<String, Tensor> tensors() {
    return tensors;
  }

  /** A tensor by name. */
  public Optional<Tensor> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public void close() {
    arena.close();
  }
}
