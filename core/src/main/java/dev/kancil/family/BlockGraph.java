package dev.kancil.family;

import dev.kancil.graph.Value;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Scale;

/** Turns declared blocks into a graph of primitives. */
final class BlockGraph {
  private final Layers layers;
  private final AttentionGraph attention;
  private final FeedForwardGraph feedForward;

  BlockGraph(Layers layers, AttentionGraph attention) {
    this.layers = layers;
    this.attention = attention;
    feedForward = new FeedForwardGraph(layers);
  }

  /**
   * The rows that a block makes of rows.
   *
   * @param result what they are called
   */
  Value build(String result, Value x, int layer, Block block) {
    String name = "blocks." + layer;
    return switch (block.residual()) {
      case SEQUENTIAL -> {
        Value attended = attended(name, attentionInput(name, x, layer, block), layer, block);
        Value normed =
            layers.norm(
                name + ".attention.post_norm",
                block.postAttentionNorm(),
                attended,
                WeightName.POST_ATTENTION_NORM,
                layer);
        Value residual = add(name + ".residual", x, normed, block);
        if (block.cross().isPresent()) {
          Value input =
              layers.norm(
                  name + ".cross.norm",
                  block.attentionNorm(),
                  residual,
                  WeightName.CROSS_NORM,
                  layer);
          residual =
              add(name + ".cross.residual", residual, crossed(name, input, layer, block), block);
        }
        yield add(result, residual, fed(name, residual, layer, block), block);
      }
      case PARALLEL, PARALLEL_WITH_ONE_NORM -> {
        Value attentionInput = attentionInput(name, x, layer, block);
        Value attended = attended(name, attentionInput, layer, block);
        boolean isShared = block.residual() == Block.Residual.PARALLEL_WITH_ONE_NORM;
        Value fed = fed(name, isShared ? attentionInput : x, layer, block);
        Value residual = add(name + ".residual", x, attended, block);
        yield add(result, residual, fed, block);
      }
      case POST_NORM -> {
        Value sum = add(name + ".residual", x, attended(name, x, layer, block), block);
        Value normed = attentionInput(name, sum, layer, block);
        if (block.cross().isPresent()) {
          sum = add(name + ".cross.residual", normed, crossed(name, normed, layer, block), block);
          normed =
              layers.norm(
                  name + ".cross.norm", block.attentionNorm(), sum, WeightName.CROSS_NORM, layer);
        }
        Value fed = feedForward.build(name + ".feed_forward", normed, layer, block.feedForward());
        sum = add(name + ".feed_forward.residual", normed, fed, block);
        yield layers.norm(
            result, block.feedForwardNorm(), sum, WeightName.FEED_FORWARD_NORM, layer);
      }
    };
  }

  private Value attentionInput(String name, Value x, int layer, Block block) {
    return layers.norm(
        name + ".attention.norm", block.attentionNorm(), x, WeightName.ATTENTION_NORM, layer);
  }

  private Value attended(String name, Value x, int layer, Block block) {
    return attention.build(name + ".attention", x, layer, block.attention());
  }

  private Value crossed(String name, Value x, int layer, Block block) {
    return attention.cross(name + ".cross", x, layer, block.cross().orElseThrow());
  }

  private Value add(String name, Value x, Value change, Block block) {
    if (block.residualScale() != 1) {
      change = layers.builder().add(name + ".change", new Scale(block.residualScale()), change);
    }
    return layers.builder().add(name, new Add(), x, change);
  }

  private Value fed(String name, Value x, int layer, Block block) {
    Value input =
        layers.norm(
            name + ".feed_forward.norm",
            block.feedForwardNorm(),
            x,
            WeightName.FEED_FORWARD_NORM,
            layer);
    Value fed = feedForward.build(name + ".feed_forward", input, layer, block.feedForward());
    return layers.norm(
        name + ".feed_forward.post_norm",
        block.postFeedForwardNorm(),
        fed,
        WeightName.POST_FEED_FORWARD_NORM,
        layer);
  }
}
