package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.family.LoadedModel;
import dev.kancil.graph.Graph;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A text for an encoder.
 *
 * @param tokens ids
 * @param tokenTypes of which kind each is; empty: all of kind 0
 * @param indexes where each lies among others that are left out, as padding is; empty: there are
 *     none
 */
public record TextRow(int[] tokens, int[] tokenTypes, int[] indexes) {
  /** Tokens alone. */
  public static TextRow of(int[] tokens) {
    return new TextRow(tokens, new int[0], new int[0]);
  }

  /**
   * Throws unless a model can take it.
   *
   * @throws InvalidRequestException if there are no tokens or too many
   */
  void requireWithin(LoadedModel model) {
    if (tokens.length == 0) {
      throw new InvalidRequestException("there are no tokens to compute");
    }
    if (tokens.length > model.contextLength()) {
      throw new InvalidRequestException(
          tokens.length + " tokens, but the model was made for " + model.contextLength());
    }
  }

  /**
   * What graphs take beside tokens.
   *
   * @throws InvalidRequestException if there are no tokens or too many, or a kind is unknown
   */
  Map<String, MemorySegment> brought(LoadedModel model, OptionalInt padding, int kinds) {
    requireWithin(model);
    int[] types = tokenTypes.length == 0 ? new int[tokens.length] : tokenTypes;
    for (int type : types) {
      if (type < 0 || type >= Math.max(1, kinds)) {
        throw new InvalidRequestException(
            "token type " + type + ", but the model knows " + Math.max(1, kinds));
      }
    }
    return Map.of(
        Graph.TOKEN_TYPES,
        MemorySegment.ofArray(types),
        Graph.POSITION_IDS,
        MemorySegment.ofArray(positionIds(model, padding)));
  }

  private int[] positionIds(LoadedModel model, OptionalInt padding) {
    int[] ids = new int[tokens.length];
    if (padding.isEmpty()) {
      Arrays.setAll(ids, i -> indexes.length == 0 ? i : indexes[i]);
      for (int id : ids) {
        if (id < 0 || id >= model.contextLength()) {
          throw new InvalidRequestException(
              "position " + id + ", but the model was made for " + model.contextLength());
        }
      }
      return ids;
    }
    int next = padding.getAsInt() + 1;
    for (int i = 0; i < ids.length; i++) {
      ids[i] = tokens[i] == padding.getAsInt() ? padding.getAsInt() : next++;
    }
    return ids;
  }
}
