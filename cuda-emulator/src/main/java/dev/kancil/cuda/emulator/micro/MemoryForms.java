package dev.kancil.cuda.emulator.micro;

import java.util.List;

/** Atomic operations, loads and stores of all kinds, copies. */
final class MemoryForms {
  private static final List<String> WORDS = List.of("32", "64");

  private MemoryForms() {}

  static void add(List<MicroForm> forms) {
    for (String bits : WORDS) {
      for (String name : List.of("and", "or", "xor", "exch")) {
        atomic(forms, name, "b" + bits, 75);
      }
      for (String name : List.of("min", "max")) {
        atomic(forms, name, "u" + bits, 75);
        atomic(forms, name, "s" + bits, 75);
      }
      atomic(forms, "add", "u" + bits, 75);
      atomic(forms, "add", "f" + bits, 75);
      compareAndSwap(forms, "b" + bits);
    }
    compareAndSwap(forms, "b16");
    atomic(forms, "add", "s32", 75);
    atomic(forms, "inc", "u32", 75);
    atomic(forms, "dec", "u32", 75);
    atomic(forms, "add.noftz", "f16x2", 75);
    atomic(forms, "add.noftz", "f16", 75);
    atomic(forms, "add.noftz", "bf16x2", 90);
    atomic(forms, "add.noftz", "bf16", 90);
    loads(forms);
    copies(forms);
  }

  /** On a thread's own word, so that nothing depends on an order. */
  private static void atomic(List<MicroForm> forms, String name, String type, int target) {
    String bits = "b" + MicroForm.bits(type);
    for (String space : List.of("global", "shared")) {
      String place = space.equals("global") ? "%to" : "%slot";
      String store = "st." + space + "." + bits + " [" + place + "], %a0;\n";
      String load = "ld." + space + "." + bits + " %d0, [" + place + "];";
      String atom = "atom." + space + "." + name + "." + type;
      forms.add(
          new MicroForm(
              atom,
              store + atom + " %d1, [" + place + "], %a1;\n" + load,
              List.of(type, type),
              List.of(type, type),
              target,
              MicroForm.Tolerance.NONE,
              null));
      if (!name.equals("exch")) {
        String red = "red." + space + "." + name + "." + type;
        String body = store + red + " [" + place + "], %a1;\n" + load;
        forms.add(MicroForm.of(red, body, type, type, type).since(target));
      }
    }
  }

  private static void compareAndSwap(List<MicroForm> forms, String type) {
    for (String space : List.of("global", "shared")) {
      String place = space.equals("global") ? "%to" : "%slot";
      String opcode = "atom." + space + ".cas." + type;
      String body =
          "st."
              + space
              + "."
              + type
              + " ["
              + place
              + "], %a0;\n"
              + opcode
              + " %d1, ["
              + place
              + "], %a1, %a2;\n"
              + "ld."
              + space
              + "."
              + type
              + " %d0, ["
              + place
              + "];";
      forms.add(
          new MicroForm(
              opcode,
              body,
              List.of(type, type),
              List.of(type, type, type),
              75,
              MicroForm.Tolerance.NONE,
              null));
    }
  }

  private static void loads(List<MicroForm> forms) {
    for (String kind :
        List.of(
            "ld.global.nc.",
            "ld.volatile.global.",
            "ld.relaxed.gpu.global.",
            "ld.acquire.gpu.global.",
            "ld.global.nc.L1::no_allocate.L2::128B.",
            "ld.global.cs.")) {
      forms.add(MicroForm.of(kind + "u32", kind + "u32 %d0, [%from];", "u32", "u32"));
    }
    for (String kind : List.of("st.shared.", "st.volatile.shared.", "st.release.cta.shared.")) {
      String body = kind + "b32 [%slot], %a0;\nld.shared.b32 %d0, [%slot];";
      forms.add(MicroForm.of(kind + "b32", body, "b32", "b32"));
    }
    for (String type : List.of("u8", "s8", "u16", "s16")) {
      String body = "st.shared.b32 [%slot], %a0;\nld.shared." + type + " %d0, [%slot];";
      forms.add(MicroForm.of("ld.shared." + type + " into 32 bits", body, "b32", "b32"));
    }
    String bytes =
        "st.shared.v4.b8 [%slot+4], {%a0, %a1, %a2, %a3};\nld.shared.b32 %d0, [%slot+4];";
    forms.add(MicroForm.of("st.shared.v4.b8", bytes, "b32", "b32", "b32", "b32", "b32"));
    String generic =
        "cvt.u64.u32 %q0, %slot;\ncvta.shared.u64 %q1, %q0;\nst.b32 [%q1], %a0;\n"
            + "ld.shared.b32 %d0, [%slot];";
    forms.add(MicroForm.of("cvta.shared", generic, "b32", "b32"));
    String policy =
        "createpolicy.fractional.L2::evict_last.b64 %q0, 1.0;\n"
            + "ld.global.L2::cache_hint.u32 %d0, [%from], %q0;\nprefetch.global.L2 [%from];";
    forms.add(MicroForm.of("createpolicy", policy, "u32", "u32").since(80));
    String advice =
        "griddepcontrol.wait;\nand.b64 %q0, %from, -16;\n"
            + "cp.async.bulk.prefetch.L2.global [%q0], 16;\nnanosleep.u32 9;\n"
            + "griddepcontrol.launch_dependents;\nmov.b32 %d0, %a0;";
    forms.add(MicroForm.of("griddepcontrol", advice, "u32", "u32").since(90));
  }

  private static void copies(List<MicroForm> forms) {
    for (int bytes : new int[] {4, 8}) {
      String type = "b" + 8 * bytes;
      String copy = "cp.async.ca.shared.global [%slot], [%from], " + bytes;
      String wait = ";\ncp.async.wait_all;\nld.shared." + type + " %d0, [%slot];";
      forms.add(MicroForm.of("cp.async.ca " + bytes, copy + wait, type, type).since(80));
      String size = "and.b32 %r0, %a1, " + (bytes - 1) + ";\n" + copy + ", %r0" + wait;
      forms.add(MicroForm.of("cp.async.ca src-size " + bytes, size, type, type, "u32").since(80));
    }
    // Four threads' words each.
    String groups =
        "and.b64 %q0, %from, -16;\ncp.async.cg.shared.global [%slot], [%q0], 16;\n"
            + "cp.async.commit_group;\ncp.async.commit_group;\ncp.async.wait_group 1;\n"
            + "ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%slot];\n"
            + "xor.b32 %r0, %r0, %r1;\nshl.b32 %r2, %r2, 1;\nadd.u32 %r0, %r0, %r2;\n"
            + "sub.u32 %d0, %r0, %r3;";
    forms.add(MicroForm.of("cp.async.cg groups", groups, "b32", "b32").since(80));
  }
}
