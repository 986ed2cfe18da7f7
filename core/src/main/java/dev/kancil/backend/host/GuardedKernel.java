package dev.kancil.backend.host;

import dev.kancil.graph.Node;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.zip.CRC32;

/**
 * A kernel under watch: what it does not write stays NaN, and it may change neither its inputs nor
 * anything around its outputs.
 */
final class GuardedKernel implements Kernel {
  private final Node node;
  private final Kernel kernel;
  private final List<HostValue> inputs;
  private final List<HostValue> outputs;
  private final GuardZones zones;

  GuardedKernel(
      Node node, Kernel kernel, List<HostValue> inputs, List<HostValue> outputs, GuardZones zones) {
    this.node = node;
    this.kernel = kernel;
    this.inputs = inputs;
    this.outputs = outputs;
    this.zones = zones;
  }

  @Override
  public void run(HostStep step) {
    for (HostValue output : outputs) {
      output.data(step).fill(GuardZones.POISON);
    }
    long[] before = checksums(step);
    kernel.run(step);
    zones.check(node.op().name());
    step.state().checkZones(node.op().name());
    long[] after = checksums(step);
    for (int i = 0; i < before.length; i++) {
      if (before[i] != after[i]) {
        throw new IllegalStateException(node.op().name() + " changed its input " + i);
      }
    }
  }

  private long[] checksums(HostStep step) {
    long[] checksums = new long[inputs.size()];
    for (int i = 0; i < checksums.length; i++) {
      MemorySegment data = inputs.get(i).data(step);
      CRC32 checksum = new CRC32();
      checksum.update(data.asByteBuffer());
      checksums[i] = checksum.getValue();
    }
    return checksums;
  }
}
