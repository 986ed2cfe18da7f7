package dev.kancil.conformance;

import dev.kancil.backend.Batch;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;

/** The choice of tokens, which every device must make exactly as the reference does. */
final class SampleCases {
  private static final int[] VOCABULARIES = {
    1, 2, 3, 7, 16, 31, 64, 100, 255, 256, 257, 1000, 2049, 4099
  };
  private static final int[] LARGE_VOCABULARIES = {49_152, 128_257, 262_145};

  /** Logits as models make them, and as only broken ones do. */
  private enum Logits {
    NORMAL,
    /** Few values, so that most are equal. */
    EQUAL,
    /** All alike. */
    CONSTANT,
    /** Far apart, beyond what a difference can hold. */
    HUGE,
    /** Numbers around the smallest normal one, and both zeros. */
    DENORMAL,
    /** Some infinite, some no numbers, in some rows all. */
    SPECIAL
  }

  /** Parameters of a row. */
  private record Settings(
      float temperature, int topK, float topP, float minP, float repetition, boolean hasChanges) {
    Settings(float temperature, int topK, float topP, float minP) {
      this(temperature, topK, topP, minP, 1, false);
    }
  }

  // A prime number of them, so that rows and settings meet in all ways.
  private static final List<Settings> SETTINGS =
      List.of(
          new Settings(0, 0, 1, 0),
          new Settings(1, 0, 1, 0),
          new Settings(0.8f, 40, 1, 0),
          new Settings(0, 0, 1, 0, 1.1f, true),
          new Settings(1, 0, 0.9f, 0),
          new Settings(0.8f, 0, 1, 0.05f),
          new Settings(1, 40, 0.95f, 0.05f, 1.3f, true),
          new Settings(100, 0, 1, 0),
          new Settings(1e-6f, 0, 1, 0),
          new Settings(1e-30f, 7, 0.5f, 0),
          new Settings(1, 0, 0.5f, 0.1f, 0.5f, true),
          new Settings(5, 2, 1, 0),
          new Settings(1, 1, 0.9f, 0),
          new Settings(1, 0, 1e-9f, 0),
          new Settings(1, 0, 0.99999994f, 0),
          new Settings(2, 1000, 0.999f, 0),
          new Settings(1, 0, 1, 1),
          new Settings(0.7f, Integer.MAX_VALUE, 1, 0, 1, true),
          new Settings(100, 255, 0.3f, 0.99f, 100, true));

  private final List<Case> cases = new ArrayList<>();

  private SampleCases() {}

  static List<Case> all() {
    SampleCases cases = new SampleCases();
    for (int vocabulary : VOCABULARIES) {
      for (Logits logits : Logits.values()) {
        cases.add(vocabulary, logits, 2 * SETTINGS.size(), 0);
      }
    }
    int first = 0;
    for (int vocabulary : LARGE_VOCABULARIES) {
      for (Logits logits : Logits.values()) {
        cases.add(vocabulary, logits, 4, first);
        first += 4;
      }
    }
    return cases.cases;
  }

  /**
   * @param first of the settings, which the rows have in turn
   */
  private void add(int vocabulary, Logits logits, int sequences, int first) {
    // Each sequence chooses, and one has rows that don't.
    Event.Rows one = new Event.Rows(Collections.nCopies(sequences, 1));
    List<Event> events = List.of(one, Event.rows(4, 0, 1));
    String shape = vocabulary + " " + logits.name().toLowerCase(java.util.Locale.ROOT);
    cases.add(
        Case.exact(
            "Sample",
            DataType.F32,
            shape,
            events,
            scene ->
                scene.sample(
                    scene.outputs(
                        vocabulary, (random, row) -> row(logits, random, row, vocabulary)),
                    (batch, random, output) ->
                        describe(batch, random, first + output, vocabulary))));
  }

  private static float[] row(Logits logits, SplittableRandom random, int row, int vocabulary) {
    float[] data = new float[vocabulary];
    float scale = row % 3 + 1;
    for (int i = 0; i < vocabulary; i++) {
      data[i] =
          switch (logits) {
            case NORMAL -> (float) random.nextGaussian(-3, 2 * scale);
            case EQUAL -> random.nextInt(3) * scale - 2;
            case CONSTANT -> -7.25f;
            case HUGE -> (float) random.nextGaussian(0, 1) * 1e38f * scale;
            case DENORMAL ->
                Float.intBitsToFloat(random.nextInt(1 << 24) | random.nextInt(2) << 31);
            case SPECIAL -> special(random, row % 5);
          };
    }
    if (logits == Logits.DENORMAL && row % 2 == 0) {
      for (int i = 0; i < vocabulary; i++) {
        data[i] = random.nextBoolean() ? 0f : -0f;
      }
    }
    return data;
  }

  private static float special(SplittableRandom random, int kind) {
    float[] rare = {Float.NaN, Float.NEGATIVE_INFINITY, Float.intBitsToFloat(0xffc12345)};
    float any = rare[random.nextInt(rare.length)];
    return switch (kind) {
      case 0 -> any;
      case 1 -> random.nextInt(4) == 0 ? any : (float) random.nextGaussian();
      case 2 -> random.nextInt(9) == 0 ? Float.POSITIVE_INFINITY : any;
      case 3 -> random.nextInt(30) == 0 ? (float) random.nextGaussian() : any;
      default -> Float.POSITIVE_INFINITY;
    };
  }

  private static void describe(Batch batch, SplittableRandom random, int output, int vocabulary) {
    Settings settings = SETTINGS.get(output % SETTINGS.size());
    batch.sample(
        settings.temperature(),
        settings.topK(),
        settings.topP(),
        settings.minP(),
        settings.repetition(),
        switch (output % 7) {
          case 3 -> 0;
          case 5 -> -1;
          default -> random.nextLong();
        });
    if (settings.hasChanges()) {
      int step = 1 + vocabulary / Scene.MOST_CHANGES;
      int id = random.nextInt(step);
      for (int i = 0; i < Scene.MOST_CHANGES && id < vocabulary; i++) {
        boolean isSeen = random.nextBoolean();
        float bias = random.nextInt(8) == 0 ? Float.NEGATIVE_INFINITY : random.nextInt(3);
        batch.change(id, isSeen, bias, (float) random.nextGaussian());
        id += 1 + random.nextInt(2 * step - 1);
      }
    }
  }
}
