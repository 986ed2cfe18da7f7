package dev.kancil.backend.accelerator;

import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.tensor.DataType;

/**
 * How work-items divide rotations and cache writes.
 *
 * @param vector pairs or columns that an item has
 */
record RotationShape(int vector) {
  private static final int Q8_0_ELEMENTS = 32;

  /** For rotations alone. */
  static RotationShape of(RotaryEmbedding rotary, int most) {
    return dividing(rotaryColumns(rotary), most);
  }

  /** For rotations into the cache, with values beside them. */
  static RotationShape of(RotaryEmbedding rotary, StateGroup group, int most) {
    return dividing(rotaryColumns(rotary) | copied(group.valueColumns(), group.valueType()), most);
  }

  /** For cache writes alone. */
  static RotationShape ofCopies(StateGroup group, int most) {
    return dividing(
        copied(group.keyColumns(), group.keyType())
            | copied(group.valueColumns(), group.valueType()),
        most);
  }

  /** What the vector must divide, as a number with no more trailing zero bits than each. */
  private static int rotaryColumns(RotaryEmbedding rotary) {
    return rotary.rotaryWidth() / 2 | (rotary.headWidth() - rotary.rotaryWidth());
  }

  private static int copied(int columns, DataType type) {
    return type == DataType.Q8_0 ? 0 : columns;
  }

  private static RotationShape dividing(int columns, int most) {
    return new RotationShape(Integer.lowestOneBit(columns | most));
  }

  /** Items for one head that is turned. */
  int turns(RotaryEmbedding rotary) {
    return (rotary.headWidth() - rotary.rotaryWidth() / 2) / vector;
  }

  /** Items for columns that are stored as they are. */
  int stores(int columns, DataType type) {
    return columns / (type == DataType.Q8_0 ? Q8_0_ELEMENTS : vector);
  }
}
