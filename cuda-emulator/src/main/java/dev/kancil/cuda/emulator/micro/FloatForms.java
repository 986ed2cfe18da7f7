package dev.kancil.cuda.emulator.micro;

import java.util.List;

/** Floating-point arithmetic of all widths, functions and comparisons. */
final class FloatForms {
  private static final List<String> ROUNDINGS = List.of("rn", "rz", "rm", "rp");
  private static final List<String> RELATIONS =
      List.of(
          "eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num",
          "nan");

  private FloatForms() {}

  static void add(List<MicroForm> forms) {
    singles(forms);
    approximations(forms);
    doubles(forms);
    for (String type : List.of("f16", "f16x2", "bf16", "bf16x2")) {
      halves(forms, type);
    }
    for (String type : List.of("f32", "f64", "f16", "bf16")) {
      comparisons(forms, type);
    }
  }

  private static void singles(List<MicroForm> forms) {
    for (String ftz : List.of("", "ftz.")) {
      for (String rounding : ROUNDINGS) {
        String modifiers = rounding + "." + ftz;
        for (String name : List.of("add.", "sub.", "mul.", "div.")) {
          forms.add(MicroForm.uniform(name + modifiers + "f32", "f32", 2));
        }
        forms.add(MicroForm.uniform("fma." + modifiers + "f32", "f32", 3));
        for (String name : List.of("rcp.", "sqrt.")) {
          forms.add(MicroForm.uniform(name + modifiers + "f32", "f32", 1));
        }
      }
      for (String name : List.of("add.", "sub.", "mul.")) {
        forms.add(MicroForm.uniform(name + ftz + "sat.f32", "f32", 2));
      }
      forms.add(MicroForm.uniform("fma.rn." + ftz + "sat.f32", "f32", 3));
      for (String name : List.of("min.", "max.")) {
        forms.add(MicroForm.uniform(name + ftz + "f32", "f32", 2));
        forms.add(MicroForm.uniform(name + ftz + "NaN.f32", "f32", 2).since(80));
      }
      forms.add(MicroForm.uniform("abs." + ftz + "f32", "f32", 1));
      forms.add(MicroForm.uniform("neg." + ftz + "f32", "f32", 1));
    }
    forms.add(MicroForm.uniform("copysign.f32", "f32", 2));
    for (String kind :
        List.of("finite", "infinite", "number", "notanumber", "normal", "subnormal")) {
      for (String type : List.of("f32", "f64")) {
        String opcode = "testp." + kind + "." + type;
        String body = opcode + " %p0, %a0;\nselp.u32 %d0, 1, 0, %p0;";
        forms.add(MicroForm.of(opcode, body, "u32", type));
      }
    }
  }

  /** What the PTX ISA gives a bound for instead of a result. */
  private static void approximations(List<MicroForm> forms) {
    for (String ftz : List.of("", "ftz.")) {
      one(forms, "ex2.approx." + ftz + "f32", 0x1p-21, 0x1p-149);
      one(forms, "lg2.approx." + ftz + "f32", 0x1p-21, 0x1p-21);
      one(forms, "rcp.approx." + ftz + "f32", 0x1p-22, 0x1p-149);
      one(forms, "sqrt.approx." + ftz + "f32", 0x1p-22, 0x1p-149);
      one(forms, "rsqrt.approx." + ftz + "f32", 0x1p-21, 0x1p-149);
      for (String name : List.of("sin.approx.", "cos.approx.")) {
        // The bound is for a period around zero.
        String opcode = name + ftz + "f32";
        String body =
            "min.f32 %r0, %a0, 0f40490FDB;\nmax.f32 %r0, %r0, 0fC0490FDB;\n"
                + opcode
                + " %d0, %r0;";
        forms.add(MicroForm.of(opcode, body, "f32", "f32").within(0, 0x1p-20));
      }
      String divide = "div.full." + ftz + "f32";
      // Divisors that are subnormal, or have such a reciprocal, are outside of the bound.
      String bounded =
          "abs.f32 %r0, %a1;\nmin.f32 %r0, %r0, 0f7E000000;\nmax.f32 %r0, %r0, 0f00800000;\ncopysign.f32 %a1, %a1, %r0;\n";
      for (String opcode : List.of(divide, divide.replace("full", "approx"))) {
        String body = bounded + opcode + " %d0, %a0, %a1;";
        forms.add(MicroForm.of(opcode, body, "f32", "f32", "f32").within(0x1p-21, 0x1p-148));
      }
    }
    one(forms, "tanh.approx.f32", 0x1p-10, 0x1p-149);
    forms.add(MicroForm.uniform("ex2.approx.f16", "f16", 1).within(0x1p-9, 0x1p-24));
    forms.add(MicroForm.uniform("ex2.approx.f16x2", "f16x2", 1).within(0x1p-9, 0x1p-24));
    forms.add(MicroForm.uniform("tanh.approx.f16", "f16", 1).within(0x1p-9, 0x1p-10));
    forms.add(MicroForm.uniform("tanh.approx.f16x2", "f16x2", 1).within(0x1p-9, 0x1p-10));
    for (String type : List.of("bf16", "bf16x2")) {
      forms.add(
          MicroForm.uniform("ex2.approx.ftz." + type, type, 1).since(90).within(0x1p-6, 0x1p-126));
      forms.add(MicroForm.uniform("tanh.approx." + type, type, 1).since(90).within(0x1p-6, 0x1p-8));
    }
  }

  private static void one(List<MicroForm> forms, String opcode, double relative, double absolute) {
    // Flushing instructions may take what is just subnormal for zero.
    double smallest = opcode.contains("ftz") ? Math.max(absolute, 0x1p-126) : absolute;
    forms.add(MicroForm.uniform(opcode, "f32", 1).within(relative, smallest));
  }

  private static void doubles(List<MicroForm> forms) {
    for (String name : List.of("add.rn.", "sub.rn.", "mul.rn.", "div.rn.", "min.", "max.")) {
      forms.add(MicroForm.uniform(name + "f64", "f64", 2));
    }
    forms.add(MicroForm.uniform("fma.rn.f64", "f64", 3));
    for (String name : List.of("rcp.rn.", "sqrt.rn.", "abs.", "neg.")) {
      forms.add(MicroForm.uniform(name + "f64", "f64", 1));
    }
    forms.add(MicroForm.uniform("copysign.f64", "f64", 2));
  }

  private static void halves(List<MicroForm> forms, String type) {
    boolean isBrain = type.startsWith("b");
    int arithmetic = isBrain ? 90 : 75;
    int basic = isBrain ? 80 : 75;
    for (String name : List.of("add.", "sub.", "mul.")) {
      forms.add(MicroForm.uniform(name + "rn." + type, type, 2).since(arithmetic));
      if (!isBrain) {
        forms.add(MicroForm.uniform(name + "ftz." + type, type, 2));
        forms.add(MicroForm.uniform(name + "sat." + type, type, 2));
      }
    }
    forms.add(MicroForm.uniform("fma.rn." + type, type, 3).since(basic));
    forms.add(MicroForm.uniform("fma.rn.relu." + type, type, 3).since(80));
    if (!isBrain) {
      forms.add(MicroForm.uniform("fma.rn.ftz." + type, type, 3));
      forms.add(MicroForm.uniform("fma.rn.sat." + type, type, 3));
      forms.add(MicroForm.uniform("min.ftz." + type, type, 2).since(80));
    }
    for (String name : List.of("min.", "max.", "min.NaN.", "max.NaN.")) {
      forms.add(MicroForm.uniform(name + type, type, 2).since(80));
    }
    for (String name : List.of("abs.", "neg.")) {
      forms.add(MicroForm.uniform(name + type, type, 1).since(basic));
    }
  }

  private static void comparisons(List<MicroForm> forms, String type) {
    int target = type.equals("bf16") ? 90 : 75;
    for (String relation : RELATIONS) {
      String compare = "setp." + relation + "." + type;
      String body = compare + " %p0, %a0, %a1;\nselp.u32 %d0, 1, 0, %p0;";
      forms.add(MicroForm.of(compare, body, "u32", type, type).since(target));
      if (MicroForm.bits(type) == 32) {
        String set = "set." + relation + ".ftz.f32.f32";
        forms.add(MicroForm.uniform(set, "f32", 2));
      }
      if (MicroForm.bits(type) == 16) {
        String pair = type + "x2";
        String set = "set." + relation + "." + pair + "." + pair;
        forms.add(MicroForm.uniform(set, pair, 2).since(target));
      }
    }
  }
}
