package dev.kancil.format.gguf;

import dev.kancil.UnsupportedException;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One file's header, read and checked: {@code "GGUF"}, version, counts, metadata, tensor
 * descriptions, padding, tensor data.
 */
record GgufHeader(int version, int alignment, GgufMetadata metadata, Map<String, Tensor> tensors) {
  static final int MAGIC = 0x46554747;
  static final int MAX_DIMENSIONS = 8;
  static final int DEFAULT_ALIGNMENT = 32;
  static final int MAX_ALIGNMENT = 1 << 20;

  private record Description(String name, DataType type, Shape shape, long offset) {}

  static GgufHeader read(String file, MemorySegment data) {
    GgufCursor cursor = new GgufCursor(file, data);
    if (data.byteSize() < 24 || cursor.int32() != MAGIC) {
      throw cursor.error("this is not a GGUF file");
    }
    int version = cursor.int32();
    if (version == 0x02000000 || version == 0x03000000) {
      throw new UnsupportedException(file + ": big-endian GGUF files can not be read");
    }
    if (version != 2 && version != 3) {
      throw new UnsupportedException(file + ": GGUF version " + version + " can not be read");
    }
    // The smallest tensor description: name length, one dimension count, type, offset.
    int tensorCount = cursor.count("tensor count", 8 + 4 + 4 + 8, 256);
    int valueCount = cursor.count("metadata count", 8 + 4 + 1, 64);
    GgufMetadata metadata = metadata(cursor, valueCount);
    int alignment = alignment(cursor, metadata);
    Map<String, Description> descriptions = new LinkedHashMap<>();
    for (int i = 0; i < tensorCount; i++) {
      Description description = description(cursor);
      if (descriptions.put(description.name(), description) != null) {
        throw cursor.error("the tensor " + description.name() + " is there twice");
      }
    }
    long start = Math.ceilDiv(cursor.position(), alignment) * (long) alignment;
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Description description : descriptions.values()) {
      tensors.put(description.name(), tensor(cursor, data, start, alignment, description));
    }
    return new GgufHeader(version, alignment, metadata, tensors);
  }

  private static GgufMetadata metadata(GgufCursor cursor, int count) {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String key = cursor.string("a metadata key");
      if (key.isEmpty() || key.length() > 65535) {
        throw cursor.error("a metadata key of length " + key.length());
      }
      if (values.put(key, GgufValueReader.read(cursor, key)) != null) {
        throw cursor.error("the metadata key " + key + " is there twice");
      }
    }
    return new GgufMetadata(cursor.file(), values);
  }

  private static int alignment(GgufCursor cursor, GgufMetadata metadata) {
    long alignment = metadata.integer("general.alignment").orElse((long) DEFAULT_ALIGNMENT);
    if (alignment < 1 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
      throw cursor.error("an impossible alignment of " + alignment);
    }
    return (int) alignment;
  }

  private static Description description(GgufCursor cursor) {
    String name = cursor.string("a tensor name");
    int rank = cursor.int32();
    if (rank < 0 || rank > MAX_DIMENSIONS) {
      throw cursor.error(
          "the tensor " + name + " has " + Integer.toUnsignedString(rank) + " dimensions");
    }
    long[] dimensions = new long[rank];
    long elements = 1;
    for (int i = rank - 1; i >= 0; i--) {
      dimensions[i] = cursor.int64();
      if (dimensions[i] < 1 || dimensions[i] > Long.MAX_VALUE / elements) {
        throw cursor.error("the tensor " + name + " has an impossible size");
      }
      elements *= dimensions[i];
    }
    int code = cursor.int32();
    DataType type = GgufType.type(code);
    if (type == null) {
      throw new UnsupportedException(
          cursor.file() + ": the tensor " + name + " is of the unknown type " + code);
    }
    long offset = cursor.int64();
    return new Description(name, type, Shape.of(dimensions), offset);
  }

  private static Tensor tensor(
      GgufCursor cursor, MemorySegment data, long start, int alignment, Description description) {
    String name = description.name();
    Shape shape = description.shape();
    DataType type = description.type();
    if (shape.columns() % type.blockElements() != 0) {
      throw cursor.error(
          "rows of the tensor " + name + " " + shape + " are no whole " + type + " blocks");
    }
    long blocks = shape.elements() / type.blockElements();
    long offset = description.offset();
    if (offset < 0 || offset % alignment != 0) {
      throw cursor.error("the tensor " + name + " has the impossible offset " + offset);
    }
    long room = data.byteSize() - start;
    if (offset > room || blocks > (room - offset) / type.blockBytes()) {
      throw cursor.error("the tensor " + name + " lies outside the file; is the file complete?");
    }
    return new Tensor(
        type, shape, data.asSlice(start + offset, Math.multiplyExact(blocks, type.blockBytes())));
  }
}
