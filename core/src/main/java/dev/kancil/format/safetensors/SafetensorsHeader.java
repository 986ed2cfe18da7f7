package dev.kancil.format.safetensors;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.json.Json;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * What a safetensors file says of itself: 8 bytes of the header's length, a JSON object, then the
 * tensors' bytes, each of which one tensor has.
 *
 * @param metadata texts under {@code __metadata__}
 * @param tensors views of the file, in the header's order
 */
record SafetensorsHeader(Map<String, String> metadata, SequencedMap<String, Tensor> tensors) {
  /** As the format limits it. */
  private static final long MOST_BYTES = 100_000_000;

  private static final int LENGTH_BYTES = 8;
  private static final String METADATA = "__metadata__";
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Where a tensor's bytes are, behind the header. */
  private record Range(String name, long begin, long end) {}

  /**
   * Reads and checks a file's header.
   *
   * @param name what errors call the file
   * @throws FormatException if it is damaged or hostile
   * @throws UnsupportedException if a tensor's type is unknown
   */
  static SafetensorsHeader read(String name, MemorySegment file) {
    if (file.byteSize() < LENGTH_BYTES) {
      throw new FormatException(name + ": too short for a safetensors file");
    }
    long length = file.get(LENGTH, 0);
    if (length < 2 || length > MOST_BYTES || length > file.byteSize() - LENGTH_BYTES) {
      throw new FormatException(
          name + ": no safetensors file, or damaged: its header would have " + length + " bytes");
    }
    MemorySegment data = file.asSlice(LENGTH_BYTES + length);
    Map<?, ?> members = object(name, file.asSlice(LENGTH_BYTES, length).asByteBuffer());
    Map<String, String> metadata = Map.of();
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    List<Range> ranges = new ArrayList<>();
    for (Map.Entry<?, ?> member : members.entrySet()) {
      String key = (String) member.getKey();
      if (key.equals(METADATA)) {
        metadata = metadata(name, member.getValue());
      } else {
        tensors.put(key, tensor(name, key, member.getValue(), data, ranges));
      }
    }
    requireAllCovered(name, ranges, data.byteSize());
    return new SafetensorsHeader(metadata, Collections.unmodifiableSequencedMap(tensors));
  }

  private static Map<?, ?> object(String name, ByteBuffer bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      if (Json.parse(text) instanceof Map<?, ?> members) {
        return members;
      }
      throw new FormatException(name + ": its header is no JSON object");
    } catch (CharacterCodingException e) {
      throw new FormatException(name + ": its header is no UTF-8", e);
    } catch (FormatException e) {
      throw new FormatException(name + ": its header: " + e.getMessage(), e);
    }
  }

  private static Map<String, String> metadata(String name, @Nullable Object value) {
    if (!(value instanceof Map<?, ?> members)) {
      throw new FormatException(name + ": " + METADATA + " is no object");
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    for (Map.Entry<?, ?> member : members.entrySet()) {
      if (!(member.getValue() instanceof String text)) {
        throw new FormatException(name + ": " + METADATA + "." + member.getKey() + " is no text");
      }
      metadata.put((String) member.getKey(), text);
    }
    return Collections.unmodifiableMap(metadata);
  }

  private static Tensor tensor(
      String name, String key, @Nullable Object value, MemorySegment data, List<Range> ranges) {
    String place = name + ": the tensor " + key;
    if (!(value instanceof Map<?, ?> members)
        || !(members.get("dtype") instanceof String typeName)
        || !(members.get("shape") instanceof List<?> sizes)
        || !(members.get("data_offsets") instanceof List<?> offsets)
        || offsets.size() != 2
        || !(offsets.get(0) instanceof Long begin)
        || !(offsets.get(1) instanceof Long end)) {
      throw new FormatException(place + " is not described by dtype, shape and data_offsets");
    }
    if (begin < 0 || end < begin || end > data.byteSize()) {
      throw new FormatException(
          place + " lies at " + begin + " to " + end + " of " + data.byteSize() + " bytes");
    }
    DataType type = type(place, typeName);
    Shape shape = shape(place, sizes);
    long bytes;
    try {
      bytes = type.byteSize(shape.elements());
    } catch (ArithmeticException e) {
      throw new FormatException(place + " of shape " + shape + " is too large", e);
    }
    if (bytes != end - begin) {
      throw new FormatException(
          "%s, %s %s, has %d bytes, not %d".formatted(place, typeName, shape, end - begin, bytes));
    }
    ranges.add(new Range(key, begin, end));
    return new Tensor(type, shape, data.asSlice(begin, bytes));
  }

  private static Shape shape(String place, List<?> sizes) {
    long[] dimensions = new long[sizes.size()];
    for (int i = 0; i < dimensions.length; i++) {
      if (!(sizes.get(i) instanceof Long size) || size < 0) {
        throw new FormatException(place + " has the size " + sizes.get(i));
      }
      dimensions[i] = size;
    }
    try {
      return Shape.of(dimensions);
    } catch (ArithmeticException e) {
      throw new FormatException(place + " has more elements than can be counted", e);
    }
  }

  private static DataType type(String place, String name) {
    return switch (name) {
      case "F64" -> DataType.F64;
      case "F32" -> DataType.F32;
      case "F16" -> DataType.F16;
      case "BF16" -> DataType.BF16;
      case "F8_E4M3" -> DataType.F8_E4M3;
      case "F8_E5M2" -> DataType.F8_E5M2;
      case "I64" -> DataType.I64;
      case "I32" -> DataType.I32;
      case "I16" -> DataType.I16;
      // Bytes without a sign are packed numbers; nobody takes them for numbers themselves.
      case "I8", "U8", "BOOL" -> DataType.I8;
      default -> throw new UnsupportedException(place + " has the type " + name);
    };
  }

  /** Tensors lie one behind the other, without gaps, as the format wants it. */
  private static void requireAllCovered(String name, List<Range> ranges, long bytes) {
    ranges.sort(Comparator.comparingLong(Range::begin).thenComparingLong(Range::end));
    long end = 0;
    for (Range range : ranges) {
      if (range.begin() != end) {
        throw new FormatException(
            "%s: the tensor %s begins at byte %d, but those before it end at %d"
                .formatted(name, range.name(), range.begin(), end));
      }
      end = range.end();
    }
    if (end != bytes) {
      throw new FormatException(
          name + ": " + bytes + " bytes follow the header, but its tensors have " + end);
    }
  }
}
