package dev.kancil.cuda.emulator.micro;

import java.util.ArrayList;
import java.util.List;

/** {@code cvt}, and moves that pack and unpack. */
final class ConversionForms {
  private static final List<String> NARROW = List.of("u8", "s8");

  private ConversionForms() {}

  static void add(List<MicroForm> forms) {
    List<String> integers = new ArrayList<>(NARROW);
    integers.addAll(IntegerForms.TYPES);
    for (String from : integers) {
      for (String to : integers) {
        convert(forms, "", to, from);
        if (!holds(to, from)) {
          convert(forms, "sat.", to, from);
        }
      }
      for (String to : List.of("f16", "f32", "f64")) {
        boolean isNearestOnly = to.equals("f64") && bits(from) == 64;
        for (String rounding : List.of("rn.", "rz.", "rm.", "rp.")) {
          if (!isNearestOnly || rounding.equals("rn.")) {
            convert(forms, rounding, to, from);
          }
        }
        for (String rounding : List.of("rni.", "rzi.", "rmi.", "rpi.")) {
          convert(forms, rounding, from, to);
        }
      }
      convert(forms, "rzi.ftz.", from, "f32");
    }
    for (String rounding : List.of("rn.", "rz.", "rm.", "rp.")) {
      convert(forms, rounding, "f32", "f64");
    }
    for (String rounding : List.of("rn.", "rz.")) {
      convert(forms, rounding, "f16", "f32");
      add(forms, rounding, "bf16", "f32", 80);
      add(forms, rounding + "relu.", "bf16", "f32", 80);
      add(forms, rounding + "relu.", "f16", "f32", 80);
      for (String pair : List.of("f16x2", "bf16x2")) {
        for (String relu : List.of("", "relu.")) {
          String opcode = "cvt." + rounding + relu + pair + ".f32";
          String body = opcode + " %d0, %a0, %a1;";
          forms.add(MicroForm.of(opcode, body, pair, "f32", "f32").since(80));
        }
      }
    }
    convert(forms, "rn.", "f16", "f64");
    convert(forms, "", "f32", "f16");
    convert(forms, "", "f64", "f16");
    convert(forms, "", "f64", "f32");
    convert(forms, "ftz.", "f32", "f16");
    convert(forms, "rn.sat.", "f32", "f64");
    convert(forms, "rn.sat.", "f16", "f32");
    convert(forms, "sat.", "f32", "f32");
    add(forms, "", "f32", "bf16", 90);
    for (String rounding : List.of("rni.", "rzi.", "rmi.", "rpi.")) {
      convert(forms, rounding, "f32", "f32");
      convert(forms, rounding + "ftz.", "f32", "f32");
      convert(forms, rounding, "f64", "f64");
      convert(forms, rounding, "f16", "f16");
    }
    packing(forms);
  }

  /** Whether all numbers of a type are numbers of another one. */
  private static boolean holds(String type, String other) {
    return type.charAt(0) == other.charAt(0)
        ? bits(type) >= bits(other)
        : type.startsWith("s") && bits(type) > bits(other);
  }

  private static int bits(String type) {
    return Integer.parseInt(type.substring(1));
  }

  private static void convert(List<MicroForm> forms, String modifiers, String to, String from) {
    add(forms, modifiers, to, from, 75);
  }

  /** Bytes lie in registers of 32 bits, which show how results are extended. */
  private static void add(
      List<MicroForm> forms, String modifiers, String to, String from, int target) {
    String opcode = "cvt." + modifiers + to + "." + from;
    String result = NARROW.contains(to) ? "u32" : to;
    String operand = NARROW.contains(from) ? "u32" : from;
    forms.add(MicroForm.of(opcode, opcode + " %d0, %a0;", result, operand).since(target));
  }

  private static void packing(List<MicroForm> forms) {
    forms.add(
        MicroForm.of(
            "mov.b32 of b16", "mov.b32 {%h0, %h1}, %a0;\nmov.b32 %d0, {%h1, %h0};", "b32", "b32"));
    forms.add(
        MicroForm.of(
            "mov.b64 of b32", "mov.b64 {%r0, %r1}, %a0;\nmov.b64 %d0, {%r1, %r0};", "b64", "b64"));
    forms.add(
        MicroForm.of(
            "mov.b64 of b16",
            "mov.b64 {%h0, %h1, %h2, %h3}, %a0;\nmov.b64 %d0, {%h2, %h0, %h3, %h1};",
            "b64",
            "b64"));
  }
}
