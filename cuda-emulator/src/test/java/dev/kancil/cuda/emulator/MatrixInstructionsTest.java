package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Matrix products and loads of a warp, against loops over whole matrices. */
class MatrixInstructionsTest {
  private static final EmulatedDevice DEVICE = EmulatedDevice.standard().withComputeCapability(90);

  /** A kernel that loads a lane's registers %a0 …, runs a line, and stores %d0 …. */
  private static String kernel(String target, String line, int results, int... operands) {
    int loaded = Arrays.stream(operands).sum();
    StringBuilder text = new StringBuilder(".version 7.8\n.target " + target);
    text.append("\n.address_size 64\n.visible .entry f(.param .u64 x, .param .u64 y)\n{\n");
    text.append(".reg .b32 %r<4>;\n.reg .b64 %rd<4>;\n.reg .pred %p<2>;\n");
    text.append(".reg .b32 %a<").append(loaded + 1).append(">;\n.reg .b32 %d<9>;\n");
    text.append("mov.u32 %r1, %tid.x;\nld.param.u64 %rd1, [x];\nld.param.u64 %rd2, [y];\n");
    text.append("mad.wide.u32 %rd1, %r1, ").append(4 * loaded).append(", %rd1;\n");
    text.append("mad.wide.u32 %rd2, %r1, ").append(4 * results).append(", %rd2;\n");
    for (int i = 0; i < loaded; i++) {
      text.append("ld.global.u32 %%a%d, [%%rd1+%d];\n".formatted(i, 4 * i));
    }
    text.append(line).append('\n');
    for (int i = 0; i < results; i++) {
      text.append("st.global.u32 [%%rd2+%d], %%d%d;\n".formatted(4 * i, i));
    }
    return text.append("ret;\n}\n").toString();
  }

  private static String registers(String name, int first, int count) {
    return IntStream.range(first, first + count)
        .mapToObj(i -> "%" + name + i)
        .collect(Collectors.joining(", ", "{", "}"));
  }

  private static String product(String instruction, int d, int a, int b) {
    String target = instruction.contains("m16n8k8") && instruction.contains(".f16") ? "sm_75" : "";
    target = instruction.contains("m8n8k16") ? "sm_75" : target;
    String line =
        "%s %s, %s, %s, %s;"
            .formatted(
                instruction,
                registers("d", 0, d),
                registers("a", 0, a),
                registers("a", a, b),
                registers("a", a + b, d));
    return kernel(target.isEmpty() ? "sm_80" : target, line, d, a, b, d);
  }

  private static int[] run(String text, int results, int[] registers) {
    try (EmulatedKernels kernels = new EmulatedKernels(DEVICE).ptx(text)) {
      long y = kernels.upload(new int[Warp.LANES * results]);
      kernels.run("f", 1, Warp.LANES, kernels.upload(registers), y);
      return kernels.ints(y, Warp.LANES * results);
    }
  }

  /** A matrix of elements as an instruction's lanes hold it. */
  private record Fragment(int registers, int perRegister, Position row, Position column) {
    interface Position {
      int at(int lane, int element);
    }

    int elements() {
      return registers * perRegister;
    }
  }

  private static Fragment left(int rows, int depth, int perRegister) {
    int registers = rows * depth / 32 / perRegister;
    return new Fragment(
        registers,
        perRegister,
        (lane, i) -> lane / 4 + (i / perRegister % 2 == 1 ? 8 : 0),
        (lane, i) ->
            lane % 4 * perRegister + i % perRegister + i / (2 * perRegister) * 4 * perRegister);
  }

  private static Fragment right(int depth, int perRegister) {
    return new Fragment(
        8 * depth / 32 / perRegister,
        perRegister,
        (lane, i) -> lane % 4 * perRegister + i % perRegister + i / perRegister * 4 * perRegister,
        (lane, _) -> lane / 4);
  }

  private static Fragment sums(int rows) {
    return new Fragment(
        rows / 4, 1, (lane, i) -> lane / 4 + (i >= 2 ? 8 : 0), (lane, i) -> lane % 4 * 2 + i % 2);
  }

  private static void put(
      Fragment fragment, int[][] bits, int[] registers, int first, int perLane) {
    int width = 32 / fragment.perRegister;
    for (int lane = 0; lane < Warp.LANES; lane++) {
      for (int i = 0; i < fragment.elements(); i++) {
        int value = bits[fragment.row.at(lane, i)][fragment.column.at(lane, i)];
        int masked = width == 32 ? value : value & (1 << width) - 1;
        registers[lane * perLane + first + i / fragment.perRegister] |=
            masked << width * (i % fragment.perRegister);
      }
    }
  }

  private static int[][] get(Fragment fragment, int[] registers, int rows) {
    int[][] bits = new int[rows][8];
    for (int lane = 0; lane < Warp.LANES; lane++) {
      for (int i = 0; i < fragment.registers; i++) {
        bits[fragment.row.at(lane, i)][fragment.column.at(lane, i)] =
            registers[lane * fragment.registers + i];
      }
    }
    return bits;
  }

  private static int[][] multiply(
      String instruction, int perRegister, int[][] a, int[][] b, int[][] c) {
    Fragment left = left(a.length, b.length, perRegister);
    Fragment right = right(b.length, perRegister);
    Fragment sums = sums(a.length);
    int perLane = left.registers + right.registers + sums.registers;
    int[] registers = new int[Warp.LANES * perLane];
    put(left, a, registers, 0, perLane);
    put(right, b, registers, left.registers, perLane);
    put(sums, c, registers, left.registers + right.registers, perLane);
    String text = product(instruction, sums.registers, left.registers, right.registers);
    return get(sums, run(text, sums.registers, registers), a.length);
  }

  private static int half(float value, boolean brain) {
    return brain ? Float.floatToRawIntBits(value) >>> 16 : Float.floatToFloat16(value) & 0xffff;
  }

  private static float single(int half, boolean brain) {
    return brain ? Float.intBitsToFloat(half << 16) : Float.float16ToFloat((short) half);
  }

  private static int[][] matrix(int rows, int columns, IntSupplier element) {
    int[][] matrix = new int[rows][columns];
    for (int[] row : matrix) {
      Arrays.setAll(row, _ -> element.getAsInt());
    }
    return matrix;
  }

  @ParameterizedTest
  @CsvSource({"f16,8", "f16,16", "bf16,8", "bf16,16"})
  void halvesAreMultipliedExactlyAndAddedInOrder(String type, int depth) {
    boolean brain = type.equals("bf16");
    Random random = new Random(depth);
    int[][] a = matrix(16, depth, () -> half((float) random.nextGaussian(), brain));
    int[][] b = matrix(depth, 8, () -> half((float) random.nextGaussian() * 8, brain));
    int[][] c = matrix(16, 8, () -> Float.floatToRawIntBits(random.nextFloat()));
    // Subnormal halves, and a sum that only they make.
    a[3][0] = 1;
    a[4][depth - 1] = brain ? 0x8001 : 0x83ff;
    for (int k = 0; k < depth; k++) {
      a[5][k] = 2;
    }
    Arrays.fill(c[5], 0);
    a[9][2] = half(Float.POSITIVE_INFINITY, brain);
    b[2][6] = 0;
    int[][] d =
        multiply(
            "mma.sync.aligned.m16n8k%d.row.col.f32.%s.%s.f32".formatted(depth, type, type),
            2,
            a,
            b,
            c);
    for (int row = 0; row < 16; row++) {
      for (int column = 0; column < 8; column++) {
        Float sum = Float.intBitsToFloat(c[row][column]);
        for (int k = 0; k < depth; k++) {
          sum += single(a[row][k], brain) * single(b[k][column], brain);
        }
        Float got = Float.intBitsToFloat(d[row][column]);
        assertThat(got).as("%d, %d", row, column).isEqualTo(sum);
      }
    }
    assertThat(Float.intBitsToFloat(d[5][0])).isNotZero();
    assertThat(Float.intBitsToFloat(d[9][6])).isNaN();
  }

  @ParameterizedTest
  @CsvSource({
    "16,16,s8,s8",
    "16,16,u8,u8",
    "16,16,s8,u8",
    "16,32,s8,s8",
    "16,32,u8,s8",
    "16,32,s8,u8",
    "8,16,s8,s8",
    "8,16,u8,u8"
  })
  void bytesAreMultipliedAndSumsWrapAround(int rows, int depth, String left, String right) {
    Random random = new Random(rows + depth);
    int[][] a = matrix(rows, depth, () -> random.nextInt(256));
    int[][] b = matrix(depth, 8, () -> random.nextInt(256));
    int[][] c = matrix(rows, 8, random::nextInt);
    Arrays.fill(c[1], Integer.MAX_VALUE);
    Arrays.fill(c[2], Integer.MIN_VALUE);
    String name = "mma.sync.aligned.m%dn8k%d.row.col.".formatted(rows, depth);
    String types = "s32.%s.%s.s32".formatted(left, right);
    int[][] wrapped = multiply(name + types, 4, a, b, c);
    int[][] clamped = multiply(name + "satfinite." + types, 4, a, b, c);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < 8; column++) {
        long sum = c[row][column];
        for (int k = 0; k < depth; k++) {
          int x = left.equals("s8") ? (byte) a[row][k] : a[row][k];
          int y = right.equals("s8") ? (byte) b[k][column] : b[k][column];
          sum += x * y;
        }
        assertThat(wrapped[row][column]).isEqualTo((int) sum);
        assertThat((long) clamped[row][column])
            .isEqualTo(Math.clamp(sum, (long) Integer.MIN_VALUE, (long) Integer.MAX_VALUE));
      }
    }
  }

  @Test
  void resultsMayLieWhereOperandsDid() {
    String line =
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%a0, %a1, %a2, %a3}, {%a0, %a1}, {%a2},"
            + " {%a3, %a2, %a1, %a0};\n"
            + "mov.b32 %d0, %a0;\nmov.b32 %d1, %a1;\nmov.b32 %d2, %a2;\nmov.b32 %d3, %a3;";
    String apart =
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%d0, %d1, %d2, %d3}, {%a0, %a1}, {%a2},"
            + " {%a3, %a2, %a1, %a0};";
    int[] registers = new Random(3).ints(128).map(i -> i & 0x3bff_3bff).toArray();
    assertThat(run(kernel("sm_75", line, 4, 4), 4, registers))
        .isEqualTo(run(kernel("sm_75", apart, 4, 4), 4, registers));
  }

  @ParameterizedTest
  @CsvSource({"1,false", "2,false", "4,false", "1,true", "2,true", "4,true"})
  void matricesAreLoadedByRowOrByColumn(int count, boolean transposed) {
    // Each lane writes a row whose address is not in order, and gives another's.
    String line =
        """
        .shared .align 16 .b8 s[640];
        mov.u32 %%r2, s;
        mul.lo.u32 %%r3, %%r1, 11;
        and.b32 %%r3, %%r3, 31;
        mad.lo.u32 %%r3, %%r3, 16, %%r2;
        st.shared.v4.u32 [%%r3+128], {%%a0, %%a1, %%a2, %%a3};
        bar.sync 0;
        ldmatrix.sync.aligned.m8n8.x%d%s.shared.b16 %s, [%%r3+128];
        """
            .formatted(count, transposed ? ".trans" : "", registers("d", 0, count));
    int[] registers = new Random(count).ints(128).toArray();
    int[] result = run(kernel("sm_75", line, count, 4), count, registers);
    for (int matrix = 0; matrix < count; matrix++) {
      for (int lane = 0; lane < Warp.LANES; lane++) {
        for (int i = 0; i < 2; i++) {
          int row = transposed ? lane % 4 * 2 + i : lane / 4;
          int column = transposed ? lane / 4 : lane % 4 * 2 + i;
          int word = registers[(8 * matrix + row) * 4 + column / 2];
          assertThat(result[lane * count + matrix] >>> 16 * i & 0xffff)
              .isEqualTo(word >>> 16 * (column % 2) & 0xffff);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%d0}, [%r3+4]; | MISALIGNED_ADDRESS (716)",
        "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%d0}, [%r3+512]; | ILLEGAL_ADDRESS (700)",
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%d0, %d1, %d2, %d3}, [%r2]; | LAUNCH_FAILED (719)"
      })
  void loadsOfMatricesAreChecked(String line, String error) {
    String body =
        """
        .shared .align 16 .b8 s[512];
        mov.u32 %r2, s;
        mad.lo.u32 %r3, %r1, 16, %r2;
        st.shared.v4.u32 [%r3], {%r1, %r1, %r1, %r1};
        """;
    String text = kernel("sm_75", body + line, 1, 1);
    assertThatThrownBy(() -> run(text, 1, new int[32]))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_" + error + ": kernel f, ldmatrix.sync");
  }

  @Test
  void allOfAWarpTakesPart() {
    String line =
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%d0, %d1, %d2, %d3}, {%a0, %a0}, {%a0},"
            + " {%a0, %a0, %a0, %a0};";
    String some = "setp.lt.u32 %p1, %r1, 31;\n@%p1 " + line;
    assertThatThrownBy(() -> run(kernel("sm_75", some, 4, 1), 4, new int[32]))
        .hasMessageContaining("it takes a whole warp, only lanes 0x7fffffff are here");
    try (EmulatedKernels kernels = new EmulatedKernels(DEVICE).ptx(kernel("sm_75", line, 4, 1))) {
      long x = kernels.upload(new int[32]);
      long y = kernels.upload(new int[128]);
      assertThatThrownBy(() -> kernels.run("f", 1, 20, x, y))
          .hasMessageContaining("it takes a whole warp, only lanes 0xfffff are here");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%d0, %d1, %d2, %d3}, {%a0, %a0, %a0, %a0}, {%a0, %a0}, {%d0, %d1, %d2, %d3}; | needs sm_80, the text is for sm_75",
        "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%d0, %d1, %d2, %d3}, {%a0, %a0}, {%a0}, {%d0, %d1, %d2, %d3}; | needs sm_80, the text is for sm_75",
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%d0, %d1, %d2, %d3}, {%a0, %a0, %a0}, {%a0}, {%d0, %d1, %d2, %d3}; | 3 registers where the matrix has 2",
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.bf16.f32 {%d0}, {%a0}, {%a0}, {%d0}; | unknown instruction mma",
        "mma.sync.aligned.m16n8k8.row.row.f32.f16.f16.f32 {%d0}, {%a0}, {%a0}, {%d0}; | unknown instruction mma",
        "mma.sync.aligned.m16n8k8.row.col.satfinite.f32.f16.f16.f32 {%d0}, {%a0}, {%a0}, {%d0}; | unknown instruction mma",
        "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%d0}, [%r1]; | 1 registers where the matrix has 2",
        "ldmatrix.sync.aligned.m8n8.x1.global.b16 {%d0}, [%rd1]; | unknown instruction ldmatrix"
      })
  void formsThatAreNoneAreRefused(String line, String message) {
    assertThatThrownBy(() -> run(kernel("sm_75", line, 1, 1), 1, new int[32]))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining(message);
  }
}
