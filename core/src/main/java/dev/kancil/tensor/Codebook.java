package dev.kancil.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;

/**
 * Which groups of four or eight levels the formats IQ1, IQ2 and IQ3 can hold: those of llama.cpp,
 * found by search and not to be computed. {@code codebooks.bin} has 16 bits for each group, with
 * two or three for each level ({@code scripts/make-codebooks.py}).
 */
public final class Codebook {
  private static final MemorySegment FILE = MemorySegment.ofArray(file()).asReadOnly();

  // In the order of the file.
  static final Codebook IQ2_XXS = new Codebook(0, 256, 8, 8, 25, 43);
  static final Codebook IQ2_XS = new Codebook(256, 512, 8, 8, 25, 43);
  static final Codebook IQ2_S = new Codebook(768, 1024, 8, 8, 25, 43);

  /** Half of what llama.cpp has, since all are even. */
  static final Codebook IQ3_XXS = new Codebook(1792, 256, 4, 2, 6, 10, 14, 18, 22, 26, 31);

  static final Codebook IQ3_S = new Codebook(2048, 512, 4, 1, 3, 5, 7, 9, 11, 13, 15);

  /** Of IQ1_S and IQ1_M. */
  static final Codebook IQ1 = new Codebook(2560, 2048, 8, -1, 0, 1);

  private final int first;
  private final int groups;
  private final byte[] levels;

  private Codebook(int first, int groups, int size, int... choices) {
    this.first = first;
    this.groups = groups;
    int bits = size == 8 ? 2 : 3;
    levels = new byte[groups * size];
    for (int i = 0; i < levels.length; i++) {
      int group = FILE.get(Blocks.SHORT, 2L * (first + i / size)) & 0xffff;
      levels[i] = (byte) choices[group >> bits * (i % size) & (1 << bits) - 1];
    }
  }

  /** All groups, packed as {@code codebooks.bin} has them, for kernels. */
  public static MemorySegment packed() {
    return FILE;
  }

  /** The groups that a type of weights can hold, packed likewise; none if it has no codebook. */
  public static short[] groups(DataType type) {
    Codebook codebook =
        switch (type) {
          case IQ2_XXS -> IQ2_XXS;
          case IQ2_XS -> IQ2_XS;
          case IQ2_S -> IQ2_S;
          case IQ3_XXS -> IQ3_XXS;
          case IQ3_S -> IQ3_S;
          case IQ1_S, IQ1_M -> IQ1;
          default -> null;
        };
    return codebook == null
        ? new short[0]
        : FILE.asSlice(2L * codebook.first, 2L * codebook.groups).toArray(Blocks.SHORT);
  }

  /** Number {@code i} of all groups' levels, one group after the other. */
  int level(int i) {
    return levels[i];
  }

  private static byte[] file() {
    try (InputStream in = Codebook.class.getResourceAsStream("codebooks.bin")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
