package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GPTQ's, AWQ's and eight-bit floats' tensors, packed here number by number. */
class PackedWeightsTest {
  private static final String QUERY = "model.layers.0.self_attn.q_proj";
  private static final String KEY = "model.layers.0.self_attn.k_proj";
  private static final int OUT = 96;
  private static final int IN = 128;

  private final Random random = new Random(5);
  private final Map<String, Stored> tensors = new LinkedHashMap<>();
  @TempDir Path folder;

  private record Stored(String type, List<Integer> shape, byte[] bytes) {}

  /** Whole numbers and floats before they are packed. */
  private final class Layer {
    final int bits;
    final int[] groupOf;
    final int[][] quants = new int[OUT][IN];
    final int[][] zeros;
    final float[][] scales;

    Layer(int bits, int[] groupOf, IntUnaryOperator zero) {
      this.bits = bits;
      this.groupOf = groupOf;
      int groups = Arrays.stream(groupOf).max().orElseThrow() + 1;
      zeros = new int[groups][OUT];
      scales = new float[groups][OUT];
      for (int group = 0; group < groups; group++) {
        for (int row = 0; row < OUT; row++) {
          zeros[group][row] = zero.applyAsInt(random.nextInt(1 << bits));
          scales[group][row] =
              Float.float16ToFloat(Float.floatToFloat16(random.nextFloat(0.001f, 0.1f)));
        }
      }
      for (int[] row : quants) {
        Arrays.setAll(row, _ -> random.nextInt(1 << bits));
      }
    }

    float value(int row, int column) {
      int group = groupOf[column];
      return scales[group][row] * (quants[row][column] - zeros[group][row]);
    }

    /** Numbers one after the other, lowest bits first. */
    private int[] stream(int[] numbers) {
      int[] words = new int[numbers.length * bits / 32];
      for (int i = 0; i < numbers.length; i++) {
        for (int bit = 0; bit < bits; bit++) {
          int at = i * bits + bit;
          words[at / 32] |= (numbers[i] >> bit & 1) << at % 32;
        }
      }
      return words;
    }

    void storeGptq(String stem, int zeroOffset) {
      int[] packed = new int[IN * bits / 32 * OUT];
      for (int row = 0; row < OUT; row++) {
        int[] words = stream(quants[row]);
        for (int i = 0; i < words.length; i++) {
          packed[i * OUT + row] = words[i];
        }
      }
      wholes(stem + ".qweight", packed, IN * bits / 32, OUT);
      List<Integer> packedZeros = new ArrayList<>();
      for (int[] ofGroup : zeros) {
        for (int word : stream(Arrays.stream(ofGroup).map(zero -> zero - zeroOffset).toArray())) {
          packedZeros.add(word);
        }
      }
      int[] words = packedZeros.stream().mapToInt(Integer::intValue).toArray();
      wholes(stem + ".qzeros", words, zeros.length, OUT * bits / 32);
      storeScales(stem, "F16");
    }

    void storeScales(String stem, String type) {
      floats(stem + ".scales", type, scales);
    }

    void storeOrder(String stem) {
      wholes(stem + ".g_idx", groupOf, IN);
    }

    void storeAwq(String stem) {
      int[] order = {0, 2, 4, 6, 1, 3, 5, 7};
      int[] packed = new int[IN * OUT / 8];
      int[] packedZeros = new int[zeros.length * OUT / 8];
      for (int word = 0; word < OUT / 8; word++) {
        for (int i = 0; i < 8; i++) {
          int row = 8 * word + order[i];
          for (int column = 0; column < IN; column++) {
            packed[column * OUT / 8 + word] |= quants[row][column] << 4 * i;
          }
          for (int group = 0; group < zeros.length; group++) {
            packedZeros[group * OUT / 8 + word] |= zeros[group][row] << 4 * i;
          }
        }
      }
      wholes(stem + ".qweight", packed, IN, OUT / 8);
      wholes(stem + ".qzeros", packedZeros, zeros.length, OUT / 8);
      storeScales(stem, "F16");
    }
  }

  private void wholes(String name, int[] numbers, Integer... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(numbers);
    tensors.put(name, new Stored("I32", List.of(shape), bytes.array()));
  }

  private void floats(String name, String type, float[][] numbers) {
    int size = type.equals("F32") ? 4 : 2;
    ByteBuffer bytes =
        ByteBuffer.allocate(size * numbers.length * numbers[0].length)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (float[] row : numbers) {
      for (float number : row) {
        switch (type) {
          case "F32" -> bytes.putFloat(number);
          case "F16" -> bytes.putShort(Float.floatToFloat16(number));
          default -> bytes.putShort(Blocks.toBFloat16(number));
        }
      }
    }
    tensors.put(name, new Stored(type, List.of(numbers.length, numbers[0].length), bytes.array()));
  }

  private void load(String quantization, Consumer<Weights> test) throws IOException {
    StringBuilder header = new StringBuilder("{");
    int at = 0;
    for (Map.Entry<String, Stored> entry : tensors.entrySet()) {
      Stored tensor = entry.getValue();
      header.append(at == 0 ? "" : ",");
      header.append(
          "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(entry.getKey(), tensor.type, tensor.shape, at, at + tensor.bytes.length));
      at += tensor.bytes.length;
    }
    byte[] text = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + text.length + at).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(text.length).put(text);
    tensors.values().forEach(tensor -> file.put(tensor.bytes));
    Files.write(folder.resolve("model.safetensors"), file.array());
    Files.writeString(
        folder.resolve("config.json"),
        "{\"model_type\": \"llama\", \"quantization_config\": {%s}}".formatted(quantization));
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      test.accept(new Weights(checkpoint, WeightNames.HUGGING_FACE));
    }
  }

  private static Weight query(Weights weights) {
    return weights.reordered(WeightName.QUERY, 0, OUT, IN);
  }

  private static void requireValues(Weights weights, Weight weight, Layer layer) {
    float[] values = Blocks.decode(weights.tensor(weight));
    float[] order =
        weights
            .order(weight)
            .map(columns -> Blocks.decode(weights.tensor(columns)))
            .orElseGet(
                () -> {
                  float[] same = new float[IN];
                  for (int i = 0; i < IN; i++) {
                    same[i] = i;
                  }
                  return same;
                });
    for (int row = 0; row < OUT; row++) {
      for (int i = 0; i < IN; i++) {
        assertThat(values[row * IN + i]).isEqualTo(layer.value(row, (int) order[i]) + 0f);
      }
    }
  }

  private static int[] groups(int size) {
    int[] groupOf = new int[IN];
    Arrays.setAll(groupOf, i -> i / size);
    return groupOf;
  }

  @ParameterizedTest
  @CsvSource({
    "2, 32, -1, Q4_0",
    "3, 64, -1, Q4_0",
    "4, 32, -1, Q5_0",
    "4, 128, 8, Q4_0",
    "4, 64, 7, Q5_0",
    "8, 32, 128, Q8_0",
    "8, 32, -1, F32",
    "4, 16, -1, F32",
    "3, 48, -1, F32",
  })
  void columnsThatLieOneAfterTheOtherBecomeBlocks(int bits, int size, int zero, DataType type)
      throws IOException {
    for (int offset = 0; offset < 2; offset++) {
      tensors.clear();
      int less = offset;
      // Zeros that are stored minus one are never 0.
      Layer layer = new Layer(bits, groups(size), any -> zero < 0 ? Math.max(any, less) : zero);
      layer.storeGptq(QUERY, less);
      load(
          "\"quant_method\": \"gptq\", \"bits\": %d, \"group_size\": %d, \"checkpoint_format\": \"%s\""
              .formatted(bits, size, less == 1 ? "gptq" : "gptq_v2"),
          weights -> {
            Weight weight = query(weights);
            weights.requireComplete();
            assertThat(weight.type()).isEqualTo(type);
            assertThat(weights.order(weight)).isEmpty();
            requireValues(weights, weight, layer);
          });
    }
  }

  @Test
  void rowsThatLieEightInAWordBecomeBlocks() throws IOException {
    Layer layer = new Layer(4, groups(64), any -> any);
    layer.storeAwq(QUERY);
    load(
        "\"quant_method\": \"awq\", \"version\": \"gemm\"",
        weights -> {
          Weight weight = query(weights);
          weights.requireComplete();
          assertThat(weight.type()).isEqualTo(DataType.Q5_0);
          requireValues(weights, weight, layer);
        });
  }

  @Test
  void columnsOfAGroupAreBroughtTogetherAndEqualOrdersShared() throws IOException {
    List<Integer> shuffled = new ArrayList<>(Arrays.stream(groups(32)).boxed().toList());
    Collections.shuffle(shuffled, random);
    int[] groupOf = shuffled.stream().mapToInt(Integer::intValue).toArray();
    Layer query = new Layer(4, groupOf, any -> Math.max(any, 1));
    Layer key = new Layer(4, groupOf, any -> Math.max(any, 1));
    query.storeGptq(QUERY, 1);
    query.storeOrder(QUERY);
    key.storeGptq(KEY, 1);
    key.storeOrder(KEY);
    load(
        "\"quant_method\": \"gptq\", \"desc_act\": true",
        weights -> {
          Weight first = query(weights);
          Weight second = weights.reordered(WeightName.KEY, 0, OUT, IN);
          assertThat(first.type()).isEqualTo(DataType.Q5_0);
          assertThat(weights.order(first)).isPresent().isEqualTo(weights.order(second));
          requireValues(weights, first, query);
          requireValues(weights, second, key);
          // Where no product selects columns they stay in order.
          Weight plain = weights.weight(WeightName.QUERY, 0, OUT, IN);
          assertThat(plain.type()).isEqualTo(DataType.F32);
          assertThat(weights.order(plain)).isEmpty();
          requireValues(weights, plain, query);
        });
  }

  @ParameterizedTest
  @CsvSource({"BF16, 0.015625, Q4_0", "F32, 0.25, Q4_0", "F32, 0.1, F32"})
  void scalesOfOtherTypesWillDoIfHalvesHoldThem(String type, float scale, DataType expected)
      throws IOException {
    Layer layer = new Layer(4, groups(32), _ -> 8);
    for (float[] row : layer.scales) {
      Arrays.fill(row, scale);
    }
    layer.storeGptq(QUERY, 1);
    layer.storeScales(QUERY, type);
    load(
        "\"quant_method\": \"gptq\"",
        weights -> {
          Weight weight = query(weights);
          assertThat(weight.type()).isEqualTo(expected);
          requireValues(weights, weight, layer);
        });
  }

  @Test
  void allThatIsWrongIsToldAtOnce() throws IOException {
    Layer layer = new Layer(4, groups(32), _ -> 8);
    layer.storeGptq(QUERY, 1);
    tensors.remove(QUERY + ".qzeros");
    wholes(QUERY + ".scales", new int[4], 4);
    layer.storeGptq(KEY, 1);
    wholes(KEY + ".g_idx", new int[] {7}, 1);
    wholes(KEY + ".qzeros", new int[3], 3, 1);
    floats(KEY + ".bias", "F32", new float[][] {{0, 0, 1}});
    load(
        "\"quant_method\": \"gptq\"",
        weights -> {
          query(weights);
          weights.reordered(WeightName.KEY, 0, OUT, IN);
          assertThatThrownBy(weights::requireComplete)
              .isInstanceOf(FormatException.class)
              .hasMessageContaining("the tensor " + QUERY + ".qzeros is missing")
              .hasMessageContaining("the tensor " + KEY + ".g_idx has shape [1], not [128]")
              .hasMessageContaining("the tensor " + KEY + ".qzeros has shape [3, 1], not [4, 12]")
              .hasMessageContaining("the tensor " + KEY + ".bias has no place");
        });
  }

  @Test
  void integersOfAnotherShapeAndGroupsThatAreNoneAreTold() throws IOException {
    Layer layer = new Layer(4, groups(32), _ -> 8);
    layer.storeGptq(QUERY, 1);
    wholes(QUERY + ".qweight", new int[OUT], 1, OUT);
    layer.storeGptq(KEY, 1);
    wholes(KEY + ".g_idx", new int[IN - 1], IN - 1);
    int[] wrong = groups(32);
    wrong[100] = 4;
    wholes(KEY + ".g_idx", wrong, IN);
    load(
        "\"quant_method\": \"gptq\"",
        weights -> {
          query(weights);
          weights.reordered(WeightName.KEY, 0, OUT, IN);
          assertThatThrownBy(weights::requireComplete)
              .hasMessageContaining(".qweight has shape [1, 96], which is not that of [96, 128]")
              .hasMessageContaining(KEY + ".g_idx names group 4 of 4");
        });
  }

  @Test
  void biasesOfNothingButZerosAreNone() throws IOException {
    Layer layer = new Layer(4, groups(32), _ -> 8);
    layer.storeGptq(QUERY, 1);
    floats(QUERY + ".bias", "F16", new float[][] {new float[OUT]});
    load(
        "\"quant_method\": \"gptq\"",
        weights -> {
          query(weights);
          weights.requireComplete();
        });
  }

  @ParameterizedTest
  @CsvSource({
    "'\"quant_method\": \"hqq\"', quantized by hqq are not supported",
    "'\"quant_method\": \"awq\", \"version\": \"gemv\"', version gemv is not supported",
    "'\"quant_method\": \"gptq\", \"checkpoint_format\": \"marlin\"', checkpoint_format marlin",
    "'\"quant_method\": \"compressed-tensors\", \"format\": \"pack-quantized\"', format pack-quantized",
  })
  void whatIsUnknownIsRefusedByName(String config, String message) {
    floats("x", "F32", new float[][] {{1}});
    assertThatThrownBy(() -> load(config, _ -> {}))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining(message);
  }

  /** Any bytes but those that are no numbers. */
  private byte[] eightBitFloats(int noNumber) {
    byte[] bytes = new byte[OUT * IN];
    random.nextBytes(bytes);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (bytes[i] & 0x7f) >= noNumber ? 0 : bytes[i];
    }
    return bytes;
  }

  // Rectangles of 48 rows, and of 64 columns as blocks can have them, or of 50 as they can't.
  @ParameterizedTest
  @CsvSource({
    "E4M3, _scale, 1, 1, 50, 0.3, F32, SCALED_F8",
    "E4M3, _scale, 96, 1, 50, 0.3, BF16, SCALED_F8",
    "E4M3, _scale_inv, 2, 2, 64, 0.3, F32, SCALED_F8",
    "E4M3, _scale_inv, 2, 2, 64, 1e-30, BF16, SCALED_F8",
    "E4M3, _scale_inv, 2, 3, 50, 0.3, F32, F32",
    "E4M3, _scale_inv, 2, 3, 50, 0.0009765625, F32, F16",
    "E4M3, _scale_inv, 2, 3, 50, 128, F32, F16",
    "E4M3, _scale_inv, 2, 3, 50, 256, F32, F32",
    "E5M2, _scale, 1, 1, 50, 1, F32, F16",
    "E5M2, _scale_inv, 2, 2, 64, 0.0078125, F32, F16",
    "E5M2, _scale_inv, 2, 2, 64, 0.00390625, F32, F32",
    "E5M2, _scale, 1, 1, 50, 2, F32, F32",
    "E5M2, _scale, 96, 1, 50, 0.3, BF16, F32",
  })
  void eightBitFloatsAreMultipliedWithTheirFactors(
      String floats,
      String name,
      int rows,
      int columns,
      int wide,
      float factor,
      String factorType,
      DataType type)
      throws IOException {
    DataType stored = DataType.valueOf("F8_" + floats);
    byte[] bytes = eightBitFloats(stored == DataType.F8_E4M3 ? 0x7f : 0x7c);
    tensors.put(QUERY + ".weight", new Stored(stored.name(), List.of(OUT, IN), bytes));
    float[][] factors = new float[rows][columns];
    for (int i = 0; i < rows * columns; i++) {
      factors[i / columns][i % columns] = i % 2 == 0 ? factor : factor / 2;
    }
    floats(QUERY + ".weight" + name, factorType, factors);
    floats(QUERY + ".input_scale", "F32", new float[][] {{3}});
    load(
        "\"quant_method\": \"fp8\", \"weight_block_size\": [48, %d]".formatted(wide),
        weights -> {
          Weight weight = query(weights);
          weights.requireComplete();
          assertThat(weight.type()).isEqualTo(type);
          float[] values = Blocks.decode(weights.tensor(weight));
          float[] plain = new float[OUT * IN];
          Blocks.decode(stored, MemorySegment.ofArray(bytes), 0, plain, 0, plain.length);
          int height = rows == 1 ? OUT : OUT / rows;
          int width = columns == 1 ? IN : wide;
          for (int i = 0; i < values.length; i++) {
            float wanted = factors[i / IN / height][i % IN / width];
            if (factorType.equals("BF16")) {
              wanted = Float.intBitsToFloat(Blocks.toBFloat16(wanted) << 16);
            }
            assertThat(values[i]).isEqualTo(plain[i] * wanted);
          }
        });
  }

  @Test
  void eightBitFloatsStayEightBitsAndAnEighth() throws IOException {
    tensors.put(QUERY + ".weight", new Stored("F8_E4M3", List.of(OUT, IN), eightBitFloats(0x7f)));
    floats(QUERY + ".weight_scale", "F32", new float[][] {{0.3f}});
    load(
        "\"quant_method\": \"fp8\"",
        weights ->
            assertThat(weights.tensor(query(weights)).data().byteSize())
                .isEqualTo(OUT * IN * 9 / 8));
  }

  @Test
  void aBlockWithWhatIsNoNumberIsNone() throws IOException {
    byte[] bytes = eightBitFloats(0x7f);
    bytes[IN + 40] = 0x7f;
    bytes[2 * IN + 31] = (byte) 0xff;
    tensors.put(QUERY + ".weight", new Stored("F8_E4M3", List.of(OUT, IN), bytes));
    load(
        "\"quant_method\": \"fp8\"",
        weights -> {
          float[] values = Blocks.decode(weights.tensor(query(weights)));
          for (int i = 0; i < values.length; i++) {
            boolean isNone = i / 32 == (IN + 40) / 32 || i / 32 == (2 * IN + 31) / 32;
            assertThat(Float.isNaN(values[i])).isEqualTo(isNone);
          }
        });
  }

  @Test
  void factorsThatFitNothingAreTold() throws IOException {
    tensors.put(QUERY + ".weight", new Stored("F8_E4M3", List.of(OUT, IN), new byte[OUT * IN]));
    floats(QUERY + ".weight_scale", "F32", new float[5][7]);
    load(
        "\"quant_method\": \"fp8\"",
        weights -> {
          query(weights);
          assertThatThrownBy(weights::requireComplete)
              .hasMessageContaining("weight_scale of shape [5, 7] is neither for [96, 128]");
        });
  }
}
