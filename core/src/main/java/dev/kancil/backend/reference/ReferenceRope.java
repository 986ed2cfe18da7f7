package dev.kancil.backend.reference;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;

final class ReferenceRope implements Kernel {
  private final RotaryEmbedding rotary;
  private final double[] anglePerPosition;
  private final HostValue x;
  private final HostValue positions;
  private final HostValue y;

  ReferenceRope(RotaryEmbedding rotary, Node node, Lowering.Operands operands) {
    this.rotary = rotary;
    this.anglePerPosition =
        rotary.anglePerPosition(
            node.inputs().size() == 3 ? Rows.decode(operands.weight(node.weight(2)), 0) : null);
    x = operands.value(node.value(0));
    positions = operands.value(node.value(1));
    y = operands.value(node.output());
  }

  @Override
  public void run(HostStep step) {
    boolean neighbours = rotary.pairing() == Pairing.NEIGHBOURS;
    int pairs = anglePerPosition.length;
    for (int row = 0; row < y.rows(step); row++) {
      float[] data = Rows.read(x, step, row);
      int position = Rows.index(positions.data(step), row);
      for (int head = 0; head < data.length; head += rotary.headWidth()) {
        for (int i = 0; i < pairs; i++) {
          int first = head + (neighbours ? 2 * i : i);
          int second = neighbours ? first + 1 : first + pairs;
          double angle = position * anglePerPosition[i];
          double cosine = rotary.magnitude() * Math.cos(angle);
          double sine = rotary.magnitude() * Math.sin(angle);
          double a = data[first];
          double b = data[second];
          data[first] = (float) (a * cosine - b * sine);
          data[second] = (float) (a * sine + b * cosine);
        }
      }
      Rows.write(y, step, row, data);
    }
  }
}
