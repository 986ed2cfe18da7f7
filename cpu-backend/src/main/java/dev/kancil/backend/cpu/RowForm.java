package dev.kancil.backend.cpu;

/** How rows of x lie for native products (activations.h). */
enum RowForm {
  /** BF16, for steps of many rows. */
  BRAIN_FLOATS(0),
  /** Words with a scale for each 256 columns, for superblocks of weights and many rows. */
  WORDS(1),
  /** Numbers of two bytes with a scale for each 32 columns, for many rows. */
  TWO_BYTES(2),
  /** Numbers of three bytes with a scale for each 32 columns, for few rows. */
  THREE_BYTES(3),
  /** As values are: 32 bits each. */
  FLOATS(4);

  /** What stands for it in activations.h. */
  final int code;

  RowForm(int code) {
    this.code = code;
  }
}
