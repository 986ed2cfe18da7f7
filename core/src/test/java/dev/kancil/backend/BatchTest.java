package dev.kancil.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class BatchTest {
  private static final StepLimits LIMITS = new StepLimits(8, 2, 4, 300);

  private final Batch batch = new Batch(LIMITS);

  private static int[] sampling(Batch batch) {
    int[] parameters = new int[batch.outputs() * SampleParameters.COLUMNS];
    batch.copySampling(MemorySegment.ofArray(parameters), 0);
    return parameters;
  }

  private static int[] changes(Batch batch) {
    int[] changes = new int[batch.changes() * Sample.CHANGE_COLUMNS];
    batch.copyChanges(MemorySegment.ofArray(changes));
    return changes;
  }

  private static int changesEnd(Batch batch, int output) {
    return sampling(batch)[output * SampleParameters.COLUMNS + SampleParameters.CHANGES_END];
  }

  @Test
  void changesBelongToTheOutputRowAddedLast() {
    batch.sequence(0, 0);
    assertThatThrownBy(() -> batch.change(1, true, 0, 0)).isInstanceOf(IllegalStateException.class);
    batch.token(1, true);
    batch.change(3, true, 0.5f, 0.25f);
    batch.change(7, false, Float.NEGATIVE_INFINITY, 0);
    batch.token(2, true);
    batch.token(2, false);
    batch.token(2, true);
    batch.sample(1, 0, 1, 0, 1, 5);
    batch.change(3, true, 0, 0);
    assertThat(batch.changes()).isEqualTo(3);
    assertThat(batch.rows(Symbolic.CHANGES)).isEqualTo(3);
    assertThat(changesEnd(batch, 0)).isEqualTo(2);
    assertThat(changesEnd(batch, 1)).isEqualTo(2);
    assertThat(changesEnd(batch, 2)).isEqualTo(3);
    assertThat(changes(batch))
        .startsWith(3, 1, Float.floatToRawIntBits(0.5f), Float.floatToRawIntBits(0.25f), 7, 0)
        .endsWith(3, 1, 0, 0);
  }

  @Test
  void aRowIsGreedyUnlessItSaysOtherwise() {
    batch.sequence(0, 0);
    batch.token(1, true);
    batch.token(2, true);
    batch.sample(0.5f, 0, 1, 0, 1, -1);
    batch.token(3, true);
    batch.sample(0.5f, 1, 1, 0, 1, -1);
    int[] parameters = sampling(batch);
    assertThat(parameters[SampleParameters.SCALE]).isZero();
    assertThat(Float.intBitsToFloat(parameters[SampleParameters.COLUMNS + SampleParameters.SCALE]))
        .isEqualTo((float) (2 / Math.log(2)));
    assertThat(parameters[2 * SampleParameters.COLUMNS + SampleParameters.SCALE]).isZero();
  }

  @Test
  void chosenTokensMustBeThoseOfTheStepBefore() {
    batch.sequence(0, 0);
    batch.token(1, true);
    assertThat(batch.isFed()).isFalse();
    batch.chosenToken(1, true);
    assertThat(batch.isFed()).isTrue();
    assertThat(batch.token(1)).isEqualTo(-2);
    batch.requireWithin(LIMITS, 2, 300, 2);
    assertThatThrownBy(() -> batch.requireWithin(LIMITS, 2, 300, 1))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("token 2 that a step chooses, where the one before chooses 1");
    assertThatThrownBy(() -> batch.chosenToken(-1, true))
        .isInstanceOf(IllegalArgumentException.class);
    Batch copy = new Batch(LIMITS);
    copy.copyFrom(batch);
    assertThat(copy.isFed()).isTrue();
    batch.clear();
    assertThat(batch.isFed()).isFalse();
  }

  @Test
  void changedIdsMustRise() {
    batch.sequence(0, 0);
    batch.token(1, true);
    batch.change(3, true, 0, 0);
    for (int id : new int[] {3, 2, -1}) {
      assertThatThrownBy(() -> batch.change(id, true, 0, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("changed ids must rise, but there comes " + id);
    }
    assertThat(batch.changes()).isEqualTo(1);
  }

  @Test
  void asManyChangesAsTheLimitsAllow() {
    batch.sequence(0, 0);
    batch.token(1, true);
    for (int id = 0; id < LIMITS.changes(); id++) {
      batch.change(id, true, 0, 0);
    }
    assertThatThrownBy(() -> batch.change(300, true, 0, 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no room for more than 300 changed logits");
    batch.requireWithin(LIMITS, 2, 300, 0);
    assertThatThrownBy(() -> batch.requireWithin(LIMITS, 2, 299, 0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("there is no logit of token id 299 to change");
    assertThatThrownBy(() -> batch.requireWithin(new StepLimits(8, 2, 4, 299), 2, 300, 0))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("300 changed logits");
    Batch copy = new Batch(LIMITS);
    copy.copyFrom(batch);
    assertThat(changes(copy)).isEqualTo(changes(batch));
    assertThat(sampling(copy)).isEqualTo(sampling(batch));
    batch.clear();
    assertThat(batch.changes()).isZero();
  }
}
