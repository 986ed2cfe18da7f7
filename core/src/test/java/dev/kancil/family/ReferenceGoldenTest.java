package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.RealModels;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReferenceGoldenTest {
  @ParameterizedTest
  @EnumSource
  void referenceLogitsEqualThoseOfAnIndependentImplementation(RealModels model) {
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F32, 64));
      System.out.println(model + " on the reference device: " + agreement);
      assertThat(agreement.isExact()).as(agreement.toString()).isTrue();
      assertThat(agreement.topOne()).isEqualTo(1);
    }
  }
}
