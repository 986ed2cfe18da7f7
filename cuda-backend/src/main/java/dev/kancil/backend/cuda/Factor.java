package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.AcceleratorWeights;
import dev.kancil.backend.accelerator.Argument;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.graph.Weight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A matrix and where its products go.
 *
 * @param rows of the matrix, or of each expert's
 */
record Factor(Weight weight, AcceleratorWeights.Matrix matrix, DeviceBuffer target, int rows) {
  /** How the matrix lies, if in tiles. */
  TileFormat format() {
    return TileFormat.of(matrix.type()).orElseThrow();
  }

  /** What a kernel of products with several matrices in tiles is compiled with. */
  static Map<String, String> defines(List<Factor> factors) {
    Map<String, String> defines = new HashMap<>();
    defines.put("COLUMNS", String.valueOf(factors.getFirst().matrix().columns()));
    defines.put("PARTS", String.valueOf(factors.size()));
    for (int i = 0; i < factors.size(); i++) {
      defines.put("FORMAT_" + i, factors.get(i).format().kernelType());
    }
    return defines;
  }

  /** What such a kernel takes: each matrix, where its products go and its rows. */
  static List<Argument> arguments(List<Factor> factors) {
    List<Argument> arguments = new ArrayList<>();
    for (Factor factor : factors) {
      arguments.add(new Argument.Weights(factor.matrix().parts().getFirst().buffer()));
      arguments.add(new Argument.Buffer(factor.target()));
      arguments.add(new Argument.Whole(factor.rows()));
    }
    return arguments;
  }
}
