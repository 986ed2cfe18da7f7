package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.RopeAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** RoPE of queries and keys, cache write and attention. */
record RopeAttentionFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    Rewrite rewrite = new Rewrite(graph);
    List<Node> nodes = graph.nodes();
    for (int i = 1; i < nodes.size(); i++) {
      Node attend = nodes.get(i);
      // A fused attention writes and reads in one place, so only a write just before it is taken.
      Node write = nodes.get(i - 1);
      if (!(attend.op() instanceof Attention attention)
          || !(write.op() instanceof CacheWrite(var slot))
          || !slot.equals(attention.slot())) {
        continue;
      }
      Node q = rewrite.producer(attend.inputs().get(0), Rope.class);
      Node k = rewrite.producer(write.inputs().get(0), Rope.class);
      if (q == null
          || k == null
          || !q.op().equals(k.op())
          || !q.inputs()
              .subList(1, q.inputs().size())
              .equals(k.inputs().subList(1, k.inputs().size()))
          || !q.inputs().get(1).equals(attend.inputs().get(1))
          || !rewrite.isPrivate(q.output())
          || !rewrite.isPrivate(k.output())) {
        continue;
      }
      RopeAttention fused = new RopeAttention(((Rope) q.op()).rotary(), attention);
      if (!takes.test(fused)) {
        continue;
      }
      List<Operand> inputs = new ArrayList<>();
      inputs.add(q.inputs().get(0));
      inputs.add(k.inputs().get(0));
      inputs.add(write.inputs().get(1));
      inputs.addAll(q.inputs().subList(1, q.inputs().size()));
      inputs.addAll(attend.inputs().subList(2, attend.inputs().size()));
      rewrite.remove(q);
      rewrite.remove(k);
      rewrite.remove(write);
      rewrite.replace(attend, new Node(fused, inputs, attend.outputs()));
    }
    return rewrite.result();
  }
}
