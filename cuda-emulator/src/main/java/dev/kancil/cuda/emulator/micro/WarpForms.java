package dev.kancil.cuda.emulator.micro;

import dev.kancil.cuda.emulator.micro.MicroForm.Tolerance;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the lanes of a warp do together. */
final class WarpForms {
  private WarpForms() {}

  static void add(List<MicroForm> forms) {
    for (String mode : List.of("up", "down", "bfly", "idx")) {
      for (String segment : mode.equals("up") ? List.of("0", "0x1800") : List.of("31", "0x181f")) {
        String opcode = "shfl.sync." + mode + ".b32";
        // In range, so that every lane has a value: what others give is not said.
        String body =
            opcode + " %r0|%p0, %a0, %a1, " + segment + ", -1;\nselp.b32 %d0, %r0, -1, %p0;";
        forms.add(MicroForm.of(opcode + " " + segment, body, "b32", "b32", "b32"));
      }
    }
    for (String mode : List.of("all", "any", "uni")) {
      String body =
          "setp.gt.s32 %p0, %a0, 0;\nvote.sync."
              + mode
              + ".pred %p1, %p0, -1;\nselp.u32 %d0, 1, 0, %p1;";
      forms.add(MicroForm.of("vote.sync." + mode + ".pred", body, "u32", "s32"));
    }
    String ballot = "setp.gt.s32 %p0, %a0, 0;\nvote.sync.ballot.b32 %d0, %p0, -1;";
    forms.add(MicroForm.of("vote.sync.ballot.b32", ballot, "b32", "s32"));
    for (String type : List.of("b32", "b64")) {
      String few = "and." + type + " %a0, %a0, 3;\n";
      String any = few + "match.any.sync." + type + " %d0, %a0, -1;";
      forms.add(MicroForm.of("match.any.sync." + type, any, "b32", type));
      String all = few + "match.all.sync." + type + " %d0|%p0, %a0, -1;";
      forms.add(MicroForm.of("match.all.sync." + type, all, "b32", type));
    }
    for (String type : List.of("u32", "s32")) {
      for (String name : List.of("add.", "min.", "max.")) {
        reduce(forms, name + type, type);
      }
    }
    for (String name : List.of("and.b32", "or.b32", "xor.b32")) {
      reduce(forms, name, "b32");
    }
    forms.add(MicroForm.of("activemask.b32", "activemask.b32 %d0;", "b32", "s32"));
    String count = "setp.lt.s32 %p0, %a0, 0;\nbar.red.popc.u32 %d0, 0, %p0;";
    forms.add(MicroForm.of("bar.red.popc.u32", count, "u32", "s32"));
    for (String name : List.of("and", "or")) {
      String body =
          "setp.lt.s32 %p0, %a0, 99;\nbar.red."
              + name
              + ".pred %p1, 0, %p0;\nselp.u32 %d0, 1, 0, %p1;";
      forms.add(MicroForm.of("bar.red." + name + ".pred", body, "u32", "s32"));
    }
    products(forms);
    loads(forms);
  }

  private static void reduce(List<MicroForm> forms, String name, String type) {
    String opcode = "redux.sync." + name;
    forms.add(MicroForm.of(opcode, opcode + " %d0, %a0, -1;", type, type).since(80));
  }

  private static String registers(String name, int first, int count) {
    return IntStream.range(first, first + count)
        .mapToObj(i -> "%" + name + i)
        .collect(Collectors.joining(", ", "{", "}"));
  }

  private static void products(List<MicroForm> forms) {
    // Whole numbers are added without rounding, in whatever order.
    for (int depth : new int[] {8, 16}) {
      int target = depth == 8 ? 75 : 80;
      product(forms, depth, "f16", "i16x2", "w32", target, Tolerance.NONE);
      product(forms, depth, "f16", "n16x2", "w32", target, new Tolerance(0x1p-18, 0x1p-12));
      product(forms, depth, "bf16", "bf16x2", "w32", 80, new Tolerance(0x1p-16, 0x1p-10));
    }
    for (String shape : List.of("m8n8k16", "m16n8k16", "m16n8k32")) {
      for (String a : List.of("s8", "u8")) {
        for (String b : List.of("s8", "u8")) {
          for (String clamped : List.of("", "satfinite.")) {
            bytes(forms, shape, a, b, clamped);
          }
        }
      }
    }
  }

  private static void product(
      List<MicroForm> forms,
      int depth,
      String type,
      String operand,
      String sum,
      int target,
      Tolerance tolerance) {
    String opcode =
        "mma.sync.aligned.m16n8k" + depth + ".row.col.f32." + type + "." + type + ".f32";
    int left = depth / 4;
    int right = depth / 8;
    StringBuilder body = new StringBuilder();
    if (type.equals("bf16")) {
      // Exponents near one.
      for (int i = 0; i < left + right; i++) {
        body.append("and.b32 %a" + i + ", %a" + i + ", 0x80ff80ff;\n");
        body.append("or.b32 %a" + i + ", %a" + i + ", 0x3f003f00;\n");
      }
    }
    body.append(opcode).append(' ').append(registers("d", 0, 4)).append(", ");
    body.append(registers("a", 0, left)).append(", ").append(registers("a", left, right));
    body.append(", ").append(registers("a", left + right, 4)).append(';');
    List<String> operands = new ArrayList<>(Collections.nCopies(left + right, operand));
    operands.addAll(Collections.nCopies(4, sum));
    forms.add(
        new MicroForm(
            opcode + " of " + operand,
            body.toString(),
            Collections.nCopies(4, "f32"),
            operands,
            target,
            tolerance,
            null));
  }

  private static void bytes(
      List<MicroForm> forms, String shape, String a, String b, String clamped) {
    int rows = shape.startsWith("m8") ? 8 : 16;
    int depth = Integer.parseInt(shape.substring(shape.indexOf('k') + 1));
    int left = rows * depth / 128;
    int right = depth / 16;
    int sums = rows / 4;
    String opcode =
        "mma.sync.aligned." + shape + ".row.col." + clamped + "s32." + a + "." + b + ".s32";
    String body =
        opcode
            + " "
            + registers("d", 0, sums)
            + ", "
            + registers("a", 0, left)
            + ", "
            + registers("a", left, right)
            + ", "
            + registers("a", left + right, sums)
            + ";";
    forms.add(
        new MicroForm(
            opcode,
            body,
            Collections.nCopies(sums, "s32"),
            Collections.nCopies(left + right + sums, "b32"),
            rows == 8 ? 75 : 80,
            Tolerance.NONE,
            null));
  }

  private static void loads(List<MicroForm> forms) {
    for (int count : new int[] {1, 2, 4}) {
      for (String trans : List.of("", ".trans")) {
        String opcode = "ldmatrix.sync.aligned.m8n8.x" + count + trans + ".shared.b16";
        String body =
            "st.shared.v4.b32 [%slot], {%a0, %a1, %a2, %a3};\nbar.warp.sync -1;\n"
                + opcode
                + " "
                + registers("d", 0, count)
                + ", [%slot];";
        forms.add(
            new MicroForm(
                opcode,
                body,
                Collections.nCopies(count, "b32"),
                Collections.nCopies(4, "b32"),
                75,
                Tolerance.NONE,
                null));
      }
    }
  }
}
