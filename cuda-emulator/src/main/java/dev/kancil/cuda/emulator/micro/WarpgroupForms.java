package dev.kancil.cuda.emulator.micro;

import dev.kancil.cuda.emulator.micro.MicroForm.Tolerance;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What four warps multiply together: A in %a0 to %a3 or in shared memory, B in shared memory, which
 * all threads fill with variations of %a4 to %a7; sums begin as %a8 and %a9 in turns.
 */
final class WarpgroupForms {
  private static final int PIECE = 16 * MicroKernel.THREADS;
  private static final String FENCE = "wgmma.fence.sync.aligned;\n";
  private static final String COMMIT = "wgmma.commit_group.sync.aligned;\n";
  private static final String WAIT = "wgmma.wait_group.sync.aligned 0;";
  private static final Swizzle WIDEST = new Swizzle(1, 16, 1024);

  /**
   * @param mode as a descriptor has it
   */
  private record Swizzle(int mode, int leading, int stride) {}

  private WarpgroupForms() {}

  static void add(List<MicroForm> forms) {
    for (int columns : new int[] {8, 16, 24, 40, 64, 128, 256}) {
      one(forms, "f16", columns, 32, "1, 1, 1, 0");
      one(forms, "bf16", columns, 64, "1, 1, 1, 0");
    }
    one(forms, "f16", 16, 0, "1, 1, 1, 0");
    one(forms, "f16", 16, 96, "1, 1, 1, 0");
    one(forms, "f16", 16, 0, "0, 1, 1, 0");
    one(forms, "f16", 16, 0, "1, -1, 1, 0");
    one(forms, "f16", 16, 0, "1, 1, -1, 0");
    one(forms, "f16", 16, 0, "1, -1, -1, 0");
    predicate(forms);
    layouts(forms);
    leftInSharedMemory(forms);
    groups(forms);
    String near = descriptor("b", "%q0", 0, WIDEST) + FENCE + registers("f16", 16, "1, 1, 1, 0");
    Tolerance tolerance = new Tolerance(0x1p-18, 0x1p-12);
    add(forms, "m64n16k16 of n16x2", 16, "n16x2", near + COMMIT + WAIT, tolerance);
  }

  private static void one(List<MicroForm> forms, String type, int columns, int from, String rest) {
    String body =
        descriptor("b", "%q0", from, WIDEST)
            + FENCE
            + registers(type, columns, rest)
            + COMMIT
            + WAIT;
    String name = "m64n" + columns + "k16 " + type + " from " + from + ", " + rest;
    add(forms, name, type, columns, body);
  }

  private static void predicate(List<MicroForm> forms) {
    String body =
        "mov.u32 %r0, %ctaid.x;\nand.b32 %r0, %r0, 1;\nsetp.eq.u32 %p0, %r0, 1;\n"
            + descriptor("b", "%q0", 0, WIDEST)
            + FENCE
            + registers("f16", 16, "%p0, 1, 1, 0")
            + COMMIT
            + WAIT;
    add(forms, "m64n16k16 scale-d", "f16", 16, body);
  }

  private static void layouts(List<MicroForm> forms) {
    List<Swizzle> layouts =
        List.of(
            new Swizzle(2, 16, 512),
            new Swizzle(3, 16, 256),
            new Swizzle(0, 128, 256),
            new Swizzle(0, 512, 128));
    for (Swizzle layout : layouts) {
      for (int from = 0; from <= (layout.mode == 2 ? 32 : 0); from += 32) {
        String body =
            descriptor("b", "%q0", from, layout)
                + FENCE
                + registers("f16", 32, "1, 1, 1, 0")
                + COMMIT
                + WAIT;
        add(forms, "m64n32k16 from " + from + ", " + layout, "f16", 32, body);
      }
    }
  }

  private static void leftInSharedMemory(List<MicroForm> forms) {
    List<Swizzle> layouts =
        List.of(WIDEST, new Swizzle(2, 16, 512), new Swizzle(3, 16, 256), new Swizzle(0, 128, 256));
    for (Swizzle layout : layouts) {
      // B is what lies behind the rows of A.
      String body =
          descriptor("b", "%q1", 0, layout)
              + descriptor("b", "%q0", 8 * layout.stride, layout)
              + FENCE
              + product("bf16", 24, "%q1", "%q0", "1, 1, 1, 0, 0")
              + COMMIT
              + WAIT;
      add(forms, "m64n24k16 bf16 of descriptors, " + layout, "bf16", 24, body);
    }
  }

  private static void groups(List<MicroForm> forms) {
    StringBuilder body = new StringBuilder();
    for (int step = 0; step < 4; step++) {
      body.append(descriptor("b", "%q0", 32 * step, WIDEST)).append(step % 2 == 0 ? FENCE : "");
      body.append(registers("f16", 64, "1, 1, 1, 0")).append(step % 2 == 1 ? COMMIT : "");
    }
    body.append("wgmma.wait_group.sync.aligned 1;\n").append(WAIT);
    add(forms, "m64n64k16, four in two groups", "f16", 64, body.toString());
  }

  private static String registers(String type, int columns, String rest) {
    return product(type, columns, "{%a0, %a1, %a2, %a3}", "%q0", rest);
  }

  private static String product(String type, int columns, String left, String right, String rest) {
    String sums =
        IntStream.range(0, columns / 2)
            .mapToObj(i -> "%d" + i)
            .collect(Collectors.joining(", ", "{", "}"));
    String shape = "m64n" + columns + "k16.f32." + type + "." + type;
    return String.join(
        ", ", "wgmma.mma_async.sync.aligned." + shape + " " + sums, left, right, rest + ";\n");
  }

  private static String descriptor(String memory, String register, int from, Swizzle swizzle) {
    long fields =
        (long) swizzle.leading >> 4 << 16
            | (long) swizzle.stride >> 4 << 32
            | (long) swizzle.mode << 62;
    return "mov.u32 %r0, "
        + memory
        + ";\nadd.u32 %r0, %r0, "
        + from
        + ";\nbfe.u32 %r0, %r0, 4, 14;\ncvt.u64.u32 "
        + register
        + ", %r0;\nor.b64 "
        + register
        + ", "
        + register
        + ", 0x"
        + Long.toHexString(fields)
        + ";\n";
  }

  /** Each piece has the words in another order, some with other signs. */
  private static String filled(int bytes) {
    StringBuilder text = new StringBuilder(".shared .align 1024 .b8 b[" + bytes + "];\n");
    text.append("mov.u32 %r1, b;\nmad.lo.u32 %r1, %thread, 16, %r1;\n");
    for (int piece = 0; piece < bytes / PIECE; piece++) {
      for (int i = 0; i < 4; i++) {
        boolean changes = (piece >> 2 + i / 2 & 1) != 0;
        text.append("xor.b32 %r").append(2 + i).append(", %a").append(4 + (i + piece) % 4);
        text.append(changes ? ", 0x80008000;\n" : ", 0;\n");
      }
      text.append("st.shared.v4.b32 [%r1+").append(piece * PIECE);
      text.append("], {%r2, %r3, %r4, %r5};\n");
    }
    return text.append("fence.proxy.async.shared::cta;\nbar.sync 0;\n").toString();
  }

  private static void add(
      List<MicroForm> forms, String name, String type, int columns, String body) {
    String operand = type.equals("bf16") ? "j16x2" : "i16x2";
    add(forms, name, columns, operand, body, Tolerance.NONE);
  }

  private static void add(
      List<MicroForm> forms,
      String name,
      int columns,
      String operand,
      String body,
      Tolerance tolerance) {
    StringBuilder text = new StringBuilder(filled(Math.max(16, columns / 8) * 1024));
    for (int i = 0; i < columns / 2; i++) {
      text.append("mov.b32 %d").append(i).append(", %a").append(8 + i % 2).append(";\n");
    }
    List<String> operands = new ArrayList<>(Collections.nCopies(8, operand));
    operands.addAll(List.of("w32", "w32"));
    forms.add(
        new MicroForm(
            "wgmma.mma_async " + name,
            text.append(body).toString(),
            Collections.nCopies(columns / 2, "f32"),
            operands,
            90,
            true,
            tolerance,
            null));
  }
}
