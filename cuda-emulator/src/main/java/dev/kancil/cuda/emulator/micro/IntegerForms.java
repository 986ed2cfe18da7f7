package dev.kancil.cuda.emulator.micro;

import java.util.List;

/** Integers: arithmetic, logic, bit fields, comparisons and choices. */
final class IntegerForms {
  static final List<String> TYPES = List.of("u16", "s16", "u32", "s32", "u64", "s64");
  private static final List<String> BITS = List.of("b16", "b32", "b64");

  private IntegerForms() {}

  static void add(List<MicroForm> forms) {
    for (String type : TYPES) {
      arithmetic(forms, type);
      comparisons(forms, type);
    }
    for (String type : List.of("u32", "s32")) {
      words(forms, type);
    }
    for (String type : BITS) {
      logic(forms, type);
    }
    for (String type : List.of("b32", "b64")) {
      forms.add(
          MicroForm.of("popc." + type, "popc." + type + " %d0, %a0;", "u32", type)
              .giving(a -> Long.bitCount(a[0])));
      forms.add(MicroForm.of("clz." + type, "clz." + type + " %d0, %a0;", "u32", type));
      forms.add(MicroForm.uniform("brev." + type, type, 1));
      String insert = "bfi." + type + " %d0, %a0, %a1, %a2, %a3;";
      forms.add(MicroForm.of("bfi." + type, insert, type, type, type, "u32", "u32"));
    }
    for (String name : List.of("l.wrap", "l.clamp", "r.wrap", "r.clamp")) {
      forms.add(MicroForm.uniform("shf." + name + ".b32", "b32", 3));
    }
    forms.add(MicroForm.uniform("prmt.b32", "b32", 3));
    for (int table : new int[] {0x96, 0xe8, 0xca, 0x1b, 0xfe, 0x80}) {
      String body = "lop3.b32 %d0, %a0, %a1, %a2, " + table + ";";
      forms.add(MicroForm.of("lop3.b32 " + table, body, "b32", "b32", "b32", "b32"));
    }
    dotProducts(forms);
  }

  private static void arithmetic(List<MicroForm> forms, String type) {
    int bits = MicroForm.bits(type);
    long mask = bits == 64 ? -1 : (1L << bits) - 1;
    forms.add(MicroForm.uniform("add." + type, type, 2).giving(a -> a[0] + a[1] & mask));
    forms.add(MicroForm.uniform("sub." + type, type, 2).giving(a -> a[0] - a[1] & mask));
    forms.add(MicroForm.uniform("mul.lo." + type, type, 2).giving(a -> a[0] * a[1] & mask));
    forms.add(MicroForm.uniform("mul.hi." + type, type, 2));
    forms.add(MicroForm.uniform("mad.lo." + type, type, 3).giving(a -> a[0] * a[1] + a[2] & mask));
    forms.add(MicroForm.uniform("mad.hi." + type, type, 3));
    for (String name : List.of("min.", "max.")) {
      forms.add(MicroForm.uniform(name + type, type, 2));
    }
    forms.add(MicroForm.uniform("sad." + type, type, 3));
    for (String name : List.of("div.", "rem.")) {
      // Nobody says what a division by zero gives.
      String body = "or.b" + bits + " %a1, %a1, 1;\n" + name + type + " %d0, %a0, %a1;";
      forms.add(MicroForm.of(name + type, body, type, type, type));
    }
    if (type.startsWith("s")) {
      forms.add(MicroForm.uniform("abs." + type, type, 1));
      forms.add(MicroForm.uniform("neg." + type, type, 1).giving(a -> -a[0] & mask));
    }
    if (bits < 64) {
      String twice = type.charAt(0) + Integer.toString(2 * bits);
      String product = "mul.wide." + type + " %d0, %a0, %a1;";
      forms.add(MicroForm.of("mul.wide." + type, product, twice, type, type));
      String sum = "mad.wide." + type + " %d0, %a0, %a1, %a2;";
      forms.add(MicroForm.of("mad.wide." + type, sum, twice, type, type, twice));
    }
    String shift = "shr." + type + " %d0, %a0, %a1;";
    forms.add(MicroForm.of("shr." + type, shift, type, type, "u32"));
  }

  private static void words(List<MicroForm> forms, String type) {
    forms.add(MicroForm.uniform("mul24.lo." + type, type, 2));
    forms.add(MicroForm.uniform("mad24.lo." + type, type, 3));
    for (String wide : List.of(type, type.charAt(0) + "64")) {
      String extract = "bfe." + wide + " %d0, %a0, %a1, %a2;";
      forms.add(MicroForm.of("bfe." + wide, extract, wide, wide, "u32", "u32"));
      for (String name : List.of("bfind.", "bfind.shiftamt.")) {
        forms.add(MicroForm.of(name + wide, name + wide + " %d0, %a0;", "u32", wide));
      }
    }
    String choice = "slct." + type + ".s32 %d0, %a0, %a1, %a2;";
    forms.add(MicroForm.of("slct." + type + ".s32", choice, type, type, type, "s32"));
    if (type.equals("s32")) {
      forms.add(MicroForm.uniform("add.sat.s32", type, 2));
      forms.add(MicroForm.uniform("sub.sat.s32", type, 2));
      forms.add(MicroForm.uniform("mad.hi.sat.s32", type, 3));
    }
  }

  private static void logic(List<MicroForm> forms, String type) {
    for (String name : List.of("and.", "or.", "xor.")) {
      forms.add(MicroForm.uniform(name + type, type, 2));
    }
    forms.add(MicroForm.uniform("not." + type, type, 1));
    forms.add(MicroForm.uniform("cnot." + type, type, 1));
    forms.add(MicroForm.of("shl." + type, "shl." + type + " %d0, %a0, %a1;", type, type, "u32"));
    String choice = "setp.gt.s32 %p0, %a2, 5;\nselp." + type + " %d0, %a0, %a1, %p0;";
    forms.add(MicroForm.of("selp." + type, choice, type, type, type, "s32"));
  }

  private static void comparisons(List<MicroForm> forms, String type) {
    for (String relation : List.of("eq", "ne", "lt", "le", "gt", "ge")) {
      String compare = "setp." + relation + "." + type;
      String body =
          compare + " %p0|%p1, %a0, %a1;\nselp.u32 %d0, 1, 0, %p0;\n" + "selp.u32 %d1, 1, 0, %p1;";
      forms.add(
          new MicroForm(
              compare,
              body,
              List.of("u32", "u32"),
              List.of(type, type),
              75,
              MicroForm.Tolerance.NONE,
              null));
      String set = "set." + relation + ".u32." + type;
      forms.add(MicroForm.of(set, set + " %d0, %a0, %a1;", "u32", type, type));
    }
    for (String how : List.of("and", "or", "xor")) {
      String body =
          "setp.lt.u32 %p0, %thread, 50;\nsetp.lt."
              + how
              + "."
              + type
              + " %p1, %a0, %a1, !%p0;\nselp.u32 %d0, 1, 0, %p1;";
      forms.add(MicroForm.of("setp.lt." + how + "." + type, body, "u32", type, type));
    }
  }

  private static void dotProducts(List<MicroForm> forms) {
    for (String a : List.of("u32", "s32")) {
      for (String b : List.of("u32", "s32")) {
        for (String name : List.of("dp4a.", "dp2a.lo.", "dp2a.hi.")) {
          String opcode = name + a + "." + b;
          String body = opcode + " %d0, %a0, %a1, %a2;";
          forms.add(MicroForm.of(opcode, body, "s32", "b32", "b32", "b32"));
        }
      }
    }
  }
}
