package dev.kancil.conformance;

import dev.kancil.graph.Operand;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;

/** Products with weights of every type. */
final class ProductCases {
  /** The types that checkpoints store weights in. */
  static final List<DataType> WEIGHT_TYPES =
      List.of(
          DataType.F32,
          DataType.F16,
          DataType.BF16,
          DataType.Q4_0,
          DataType.Q4_1,
          DataType.Q5_0,
          DataType.Q5_1,
          DataType.Q8_0,
          DataType.Q2_K,
          DataType.Q3_K,
          DataType.Q4_K,
          DataType.Q5_K,
          DataType.Q6_K,
          DataType.IQ4_NL,
          DataType.IQ4_XS,
          DataType.MXFP4,
          DataType.SCALED_F8);

  /** Those that few checkpoints have: the same ways through kernels, and fewer sizes. */
  static final List<DataType> RARE_TYPES =
      List.of(
          DataType.NVFP4,
          DataType.Q8_K,
          DataType.IQ1_S,
          DataType.IQ1_M,
          DataType.IQ2_XXS,
          DataType.IQ2_XS,
          DataType.IQ2_S,
          DataType.IQ3_XXS,
          DataType.IQ3_S,
          DataType.TQ1_0,
          DataType.TQ2_0);

  static final int LONG = 61_440;

  private final List<Case> cases = new ArrayList<>();

  private ProductCases() {}

  static List<Case> all() {
    ProductCases cases = new ProductCases();
    for (DataType type : WEIGHT_TYPES) {
      int block = type.blockElements();
      for (int rows : new int[] {1, 2, 3, 4, 5, 8, 33, 100}) {
        cases.product(type, rows, 2 * Math.max(block, 32), 19);
      }
      cases.product(type, 1, block, 1);
      cases.product(type, 3, block, 1);
      cases.product(type, 1, block, 64);
      cases.product(type, 17, 3 * block, 5);
      cases.product(type, 2, block * (1024 / block), 257);
      cases.product(type, 1, 2304, 130);
      cases.product(type, 64, 512, 96);
      if (block == 1) {
        for (int in : new int[] {2, 7, 15, 31, 33, 63, 65, 100, 577}) {
          cases.product(type, 1, in, 9);
          cases.product(type, 6, in, 33);
        }
      } else if (block == 32) {
        // An odd number of blocks, as 576 columns make.
        cases.product(type, 4, 96, 7);
        cases.product(type, 1, 576, 33);
      }
      for (Activation activation : activationsWith(type)) {
        cases.glu(activation, type, type, 1, 2 * Math.max(block, 32), 17);
        cases.glu(activation, type, type, 7, 256, 33);
      }
      cases.glu(Activation.SILU, type, type, 67, 256, 35);
      cases.parallel(type, type, type, 1, 256, 64, 16, 16);
      cases.parallel(type, type, type, 5, 512, 33, 7, 1);
      for (boolean isSum : new boolean[] {false, true}) {
        cases.normed(isSum, type, type, 1, 2 * Math.max(block, 32), 19);
        cases.normed(isSum, type, type, 3, 1024, 40);
        cases.normed(isSum, type, type, 33, 256, 24);
        cases.normedGlu(isSum, type, type, 1, 2 * Math.max(block, 32), 17);
        cases.normedGlu(isSum, type, type, 18, 256, 33);
      }
    }
    // Rows that are too long for what a group of a device's threads shares.
    for (DataType type : List.of(DataType.F16, DataType.BF16, DataType.Q8_0, DataType.Q4_K)) {
      cases.product(type, 2, LONG + type.blockElements(), 35);
    }
    cases.product(DataType.F16, 1, LONG + 3, 17);
    cases.parallel(DataType.Q4_K, DataType.Q4_K, DataType.Q6_K, 1, LONG, 17, 16, 5);
    cases.glu(Activation.SILU, DataType.Q4_0, DataType.Q4_0, 1, LONG, 17);
    cases.normed(true, DataType.Q4_0, DataType.Q4_0, 1, LONG, 16);
    cases.normedGlu(false, DataType.BF16, DataType.BF16, 2, LONG, 17);
    for (DataType type : RARE_TYPES) {
      cases.product(type, 1, 256, 19);
      cases.product(type, 3, 768, 33);
      cases.product(type, 33, 512, 5);
      cases.glu(Activation.SILU, type, type, 3, 256, 17);
      cases.parallel(type, type, type, 2, 256, 33, 7, 1);
      cases.normed(true, type, type, 1, 512, 19);
      cases.normedGlu(true, type, type, 1, 256, 17);
    }
    // Rows that are no whole number of super-blocks.
    for (int rows : new int[] {1, 2, 20}) {
      cases.product(DataType.NVFP4, rows, 320, 19);
    }
    cases.parallel(DataType.IQ2_XXS, DataType.IQ2_S, DataType.IQ4_XS, 1, 512, 33, 16, 5);
    cases.parallel(DataType.TQ2_0, DataType.Q2_K, DataType.Q6_K, 2, 512, 33, 16, 5);
    cases.normed(true, DataType.Q4_K, DataType.Q6_K, 2, 512, 40);
    cases.normed(true, DataType.Q8_0, DataType.F32, 2, 96, 40);
    cases.normed(false, DataType.F16, DataType.BF16, 4, 33, 5);
    cases.normed(true, DataType.F16, DataType.F16, 9, 33, 5);
    cases.normedGlu(true, DataType.Q4_K, DataType.Q6_K, 3, 512, 40);
    cases.normedGlu(false, DataType.F32, DataType.Q8_0, 2, 64, 40);
    cases.normedGlu(true, DataType.F16, DataType.F16, 20, 31, 70);
    cases.glu(Activation.SILU, DataType.Q4_K, DataType.Q6_K, 3, 512, 40);
    cases.glu(Activation.GELU_TANH, DataType.F32, DataType.Q8_0, 2, 64, 40);
    cases.glu(Activation.SILU, DataType.F16, DataType.F16, 3, 33, 5);
    cases.parallel(DataType.Q4_K, DataType.Q4_K, DataType.Q6_K, 2, 512, 32, 8, 8);
    cases.parallel(DataType.Q5_0, DataType.F32, DataType.Q8_0, 9, 64, 48, 16, 16);
    cases.parallel(DataType.F32, DataType.F16, DataType.BF16, 3, 33, 5, 3, 3);
    return cases.cases;
  }

  /** All with some types; with others the two that are commonest. */
  static List<Activation> activationsWith(DataType type) {
    return switch (type) {
      case F32, BF16, Q8_0, Q4_K -> List.of(Activation.values());
      default -> List.of(Activation.SILU, Activation.GELU_TANH);
    };
  }

  private void product(DataType type, int rows, int in, int out) {
    cases.add(
        Case.of(
            "MatMul",
            type,
            rows + " × " + in + " → " + out,
            rows,
            s -> s.check(new MatMul(), s.x(in), s.weight(type, out, in))));
  }

  private void glu(Activation activation, DataType gate, DataType up, int rows, int in, int out) {
    cases.add(
        new Case(
            "GluMatMul",
            gate == up ? List.of(gate) : List.of(gate, up),
            rows + " × " + in + " → " + out + " " + activation,
            List.of(Event.rows(rows)),
            s ->
                s.check(
                    new GluMatMul(activation),
                    s.x(in, 0.2f),
                    s.weight(gate, out, in),
                    s.weight(up, out, in))));
  }

  private void normed(boolean isSum, DataType first, DataType second, int rows, int in, int out) {
    cases.add(
        new Case(
            isSum ? "AddNormParallelMatMul" : "NormParallelMatMul",
            first == second ? List.of(first) : List.of(first, second),
            rows + " × " + in + " → " + out + ", " + out / 2,
            List.of(Event.rows(rows)),
            s -> {
              List<Operand> inputs = norm(isSum, s, in);
              inputs.add(s.weight(first, out, in));
              inputs.add(s.weight(second, out / 2, in));
              s.check(
                  new NormedProduct(1e-5f, isSum, new ParallelMatMul(2)),
                  inputs.toArray(new Operand[0]));
            }));
    cases.add(
        new Case(
            isSum ? "AddNormMatMul" : "NormMatMul",
            List.of(first),
            rows + " × " + in + " → " + out,
            List.of(Event.rows(rows)),
            s -> {
              List<Operand> inputs = norm(isSum, s, in);
              inputs.add(s.weight(first, out, in));
              s.check(
                  new NormedProduct(1e-6f, isSum, new MatMul()), inputs.toArray(new Operand[0]));
            }));
  }

  private void normedGlu(boolean isSum, DataType gate, DataType up, int rows, int in, int out) {
    cases.add(
        new Case(
            isSum ? "AddNormGluMatMul" : "NormGluMatMul",
            gate == up ? List.of(gate) : List.of(gate, up),
            rows + " × " + in + " → " + out,
            List.of(Event.rows(rows)),
            s -> {
              List<Operand> inputs = norm(isSum, s, in);
              inputs.add(s.weight(gate, out, in));
              inputs.add(s.weight(up, out, in));
              s.check(
                  new NormedProduct(1e-5f, isSum, new GluMatMul(Activation.SILU)),
                  inputs.toArray(new Operand[0]));
            }));
  }

  private static List<Operand> norm(boolean isSum, Scene s, int in) {
    List<Operand> inputs = new ArrayList<>();
    inputs.add(s.x(in));
    if (isSum) {
      inputs.add(s.x(in, 2));
    }
    inputs.add(s.weight(DataType.F32, in));
    return inputs;
  }

  private void parallel(
      DataType q, DataType k, DataType v, int rows, int in, int first, int second, int third) {
    cases.add(
        new Case(
            "ParallelMatMul",
            q == k && k == v ? List.of(q) : List.of(q, k, v),
            rows + " × " + in + " → " + first + ", " + second + ", " + third,
            List.of(Event.rows(rows)),
            s ->
                s.check(
                    new ParallelMatMul(3),
                    s.x(in),
                    s.weight(q, first, in),
                    s.weight(k, second, in),
                    s.weight(v, third, in))));
  }
}
