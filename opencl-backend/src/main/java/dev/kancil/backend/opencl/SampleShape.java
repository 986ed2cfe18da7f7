package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.Expressions;
import dev.kancil.graph.op.Sample;
import java.util.HashMap;
import java.util.Map;

/**
 * How a work-group goes over a row of logits.
 *
 * @param lanes items of a work-group
 * @param segments runs of neighbouring ids whose weights are added up for the draw, a multiple of
 *     {@code lanes}
 */
record SampleShape(int lanes, int segments) {
  /** One item on a processor, whose work-groups are a thread each; many elsewhere. */
  static SampleShape of(ClDevice device) {
    int lanes =
        device.isProcessor() ? 1 : Math.min(256, Integer.highestOneBit(device.largestGroup()));
    return new SampleShape(lanes, Math.max(lanes, 64));
  }

  Map<String, String> defines() {
    Map<String, String> defines = new HashMap<>();
    defines.put("LANES", String.valueOf(lanes));
    defines.put("SEGMENTS", String.valueOf(segments));
    int highest = Sample.EXP2.size() - 1;
    for (int power = 0; power <= highest; power++) {
      defines.put("C" + power, Expressions.number(Sample.EXP2.get(highest - power)));
    }
    return defines;
  }
}
