package dev.kancil.conformance;

import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Bias;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Concatenate;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectColumns;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.DataType;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Operations on each row, or each element, alone. */
final class RowCases {
  /** Sizes around the widths of vectors, work-groups and blocks, as rows and columns. */
  private static final int[][] SIZES = {
    {1, 1}, {1, 2}, {3, 1}, {1, 7}, {2, 15}, {5, 16}, {1, 31}, {7, 33}, {1, 64}, {3, 100}, {1, 255},
    {2, 256}, {33, 257}, {1, 576}, {5, 640}, {2, 1000}, {61, 129}, {4, 2049}, {300, 48}
  };

  private final List<Case> cases = new ArrayList<>();

  private RowCases() {}

  static List<Case> all() {
    RowCases cases = new RowCases();
    for (int[] size : SIZES) {
      cases.elements(size[0], size[1]);
      cases.norms(size[0], size[1]);
      cases.layerNorms(size[0], size[1]);
    }
    cases.headNorm(3, 9, 64, 1e-5f);
    cases.headNorm(1, 4, 80, 1e-6f);
    cases.headNorm(7, 3, 5, 1e-6f);
    cases.headNorm(2, 8, 1, 1e-6f);
    cases.headNorm(33, 4, 256, 1e-6f);
    cases.headLayerNorm(3, 9, 64);
    cases.headLayerNorm(7, 3, 5);
    cases.headLayerNorm(2, 8, 1);
    cases.headLayerNorm(33, 4, 256);
    cases.concatenate(7, 1, 1, 1);
    cases.concatenate(3, 5, 33, 4);
    cases.concatenate(33, 1, 512, 64);
    cases.concatenate(2, 16, 512, 64);
    cases.clampedGlu(1, 1);
    cases.clampedGlu(7, 33);
    cases.clampedGlu(61, 129);
    for (DataType type : ProductCases.WEIGHT_TYPES) {
      int block = type.blockElements();
      cases.embedding(type, 1, block);
      cases.embedding(type, 5, 3 * block);
      cases.embedding(type, 33, block == 1 ? 37 : block);
      cases.embedding(type, 200, block == 256 ? 512 : 288);
    }
    for (DataType type : ProductCases.RARE_TYPES) {
      cases.embedding(type, 5, 512);
    }
    for (int rows : new int[] {1, 3, 200}) {
      cases.selectColumns(rows, 1);
      cases.selectColumns(rows, 33);
      cases.selectColumns(rows, 2304);
    }
    cases.add(
        "SelectColumns",
        5,
        "5 × 7, of which some are twice and some are none",
        s -> s.check(new SelectColumns(), s.x(7), s.wholes(6, 0, 0, -3, 7, 1 << 20, 3, 3, 5)));
    for (int rows : new int[] {1, 2, 7, 64, 200}) {
      cases.selectRows(rows, 1);
      cases.selectRows(rows, 33);
      cases.selectRows(rows, 256);
    }
    return cases.cases;
  }

  private void elements(int rows, int columns) {
    String shape = rows + " × " + columns;
    add("Add", rows, shape, s -> s.check(new Add(), s.x(columns), s.x(columns)));
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      add(
          "Bias",
          type,
          rows,
          shape,
          s -> s.check(new Bias(), s.x(columns), s.weight(type, columns)));
    }
    add("Scale", rows, shape, s -> s.check(new Scale(-1.25f), s.x(columns)));
    add("Clamp", rows, shape, s -> s.check(new Clamp(0.8f), s.x(columns, 2)));
    add("SoftCap", rows, shape, s -> s.check(new SoftCap(30), s.x(columns, 20)));
    add("SoftCap", rows, shape + " saturated", s -> s.check(new SoftCap(5), s.x(columns, 1e4f)));
    for (Activation activation : Activation.values()) {
      String named = shape + " " + activation;
      Activate activate = new Activate(activation);
      add("Activate", rows, named, s -> s.check(activate, s.x(columns, 3)));
      add("Activate", rows, named + " saturated", s -> s.check(activate, s.x(columns, 300)));
      Glu glu = new Glu(activation);
      add("Glu", rows, named, s -> s.check(glu, s.x(columns, 3), s.x(columns)));
      add("Glu", rows, named + " saturated", s -> s.check(glu, s.x(columns, 300), s.x(columns)));
    }
    // A tap that changes every element sees all rows, and no others.
    add("HostCall", rows, shape, s -> s.check(new HostCall(RowCases::negate), s.x(columns)));
  }

  private void concatenate(int rows, int groups, int first, int second) {
    add(
        "Concatenate",
        rows,
        rows + " × " + groups + " of " + first + " and " + second,
        s -> s.check(new Concatenate(groups), s.x(groups * first), s.x(groups * second)));
  }

  private void selectColumns(int rows, int columns) {
    add(
        "SelectColumns",
        rows,
        rows + " × " + columns,
        s -> s.check(new SelectColumns(), s.x(columns), s.wholes(s.shuffled(columns))));
  }

  private void clampedGlu(int rows, int columns) {
    String shape = rows + " × " + columns;
    for (Activation activation : List.of(Activation.QUICK_GELU, Activation.SILU)) {
      ClampedGlu glu = new ClampedGlu(activation, 2.5f);
      String named = shape + " " + activation;
      add("ClampedGlu", rows, named, s -> s.check(glu, s.x(columns, 3), s.x(columns, 3)));
      add(
          "ClampedGlu",
          rows,
          named + " saturated",
          s -> s.check(glu, s.x(columns, 300), s.x(columns, 300)));
    }
  }

  private static void negate(java.lang.foreign.MemorySegment data, int rows, int columns) {
    for (long i = 0; i < (long) rows * columns; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1 - data.getAtIndex(ValueLayout.JAVA_FLOAT, i));
    }
  }

  private void norms(int rows, int columns) {
    String shape = rows + " × " + columns;
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      add(
          "RmsNorm",
          type,
          rows,
          shape,
          s -> s.check(new RmsNorm(1e-5f, columns), s.x(columns), s.weight(type, columns)));
      add(
          "AddRmsNorm",
          type,
          rows,
          shape,
          s ->
              s.check(
                  new AddRmsNorm(1e-6f), s.x(columns), s.x(columns, 2), s.weight(type, columns)));
    }
    add(
        "RmsNorm",
        rows,
        shape + " tiny",
        s ->
            s.check(new RmsNorm(1e-6f, columns), s.x(columns, 1e-6f), s.between(0.5f, 2, columns)));
    add(
        "RmsNorm",
        rows,
        shape + " huge",
        s -> s.check(new RmsNorm(1e-6f, columns), s.x(columns, 1e6f), s.between(-2, 2, columns)));
  }

  private void layerNorms(int rows, int columns) {
    String shape = rows + " × " + columns;
    LayerNorm norm = new LayerNorm(1e-5f, columns);
    for (DataType type : List.of(DataType.F32, DataType.F16, DataType.BF16)) {
      add(
          "LayerNorm",
          type,
          rows,
          shape,
          s -> s.check(norm, s.x(columns), s.weight(type, columns), s.weight(type, columns)));
      add(
          "LayerNorm",
          type,
          rows,
          shape + " without bias",
          s -> s.check(norm, s.x(columns), s.weight(type, columns)));
    }
    add("LayerNorm", rows, shape + " alone", s -> s.check(norm, s.x(columns)));
    add("LayerNorm", rows, shape + " tiny", s -> s.check(norm, s.x(columns, 1e-6f)));
    // A variance of squares less the mean's square would have lost all digits. One column has none.
    Scene.Elements far = (token, column) -> 3000 + (token + column) % 7 * 0.125f;
    add("LayerNorm", rows, shape + " far from zero", s -> s.check(norm, s.x(columns, far)));
  }

  private void headLayerNorm(int rows, int heads, int width) {
    add(
        "LayerNorm",
        rows,
        rows + " × " + heads + " heads of " + width,
        s ->
            s.check(
                new LayerNorm(1e-6f, width),
                s.x(heads * width),
                s.weight(DataType.F32, width),
                s.weight(DataType.F32, width)));
  }

  private void headNorm(int rows, int heads, int width, float epsilon) {
    add(
        "RmsNorm",
        rows,
        rows + " × " + heads + " heads of " + width,
        s ->
            s.check(
                new RmsNorm(epsilon, width), s.x(heads * width), s.weight(DataType.F32, width)));
  }

  private void embedding(DataType type, int rows, int columns) {
    add(
        "Embedding",
        type,
        rows,
        rows + " of width " + columns,
        s -> s.check(new Embedding(), s.tokens(), s.weight(type, s.vocabulary(), columns)));
  }

  private void selectRows(int rows, int columns) {
    add(
        "SelectRows",
        rows,
        rows + " × " + columns,
        s -> s.check(new SelectRows(), s.x(columns), s.outputRows()));
  }

  private void add(String op, int rows, String shape, java.util.function.Consumer<Scene> recipe) {
    add(op, DataType.F32, rows, shape, recipe);
  }

  private void add(
      String op, DataType type, int rows, String shape, java.util.function.Consumer<Scene> recipe) {
    cases.add(Case.of(op, type, shape, rows, recipe));
  }
}
