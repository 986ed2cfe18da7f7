package dev.kancil.backend.opencl;

import static dev.kancil.backend.opencl.ShapedDevices.conform;
import static dev.kancil.backend.opencl.ShapedDevices.every;

import dev.kancil.conformance.Case;
import dev.kancil.tensor.DataType;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class OpenClShapesTest {
  @Test
  void kernelsShapedForGraphicsProcessorsConform() {
    // Each kind of case comes by; `kancil selftest` runs them all where a graphics processor is.
    conform(ClDevice::asGraphics, every(17, _ -> true));
  }

  @Test
  void plainKernelsConform() {
    conform(ClDevice::asPlain, every(23, _ -> true));
  }

  @Test
  void productsOfIntegersAreOffByTheRoundingOfActivationsAndNoMore() {
    // A device without instructions for them does the same in more.
    Predicate<Case> isProduct =
        tested ->
            tested.op().contains("MatMul")
                && tested.types().stream().anyMatch(DataType::isQuantized);
    conform(device -> device.allowing(Arithmetic.INTEGERS), every(23, isProduct));
    conform(device -> device.asGraphics().allowing(Arithmetic.INTEGERS), every(31, isProduct));
    conform(device -> device.asPlain().allowing(Arithmetic.INTEGERS), every(61, isProduct));
  }

  @Test
  void productsConformWhereHalvesAreAllowed() {
    // Which changes nothing on a device that has none; scripts/check-opencl-intel runs on one that
    // has.
    Predicate<Case> isHalf =
        tested -> tested.op().contains("MatMul") && tested.types().contains(DataType.F16);
    conform(device -> device.allowing(Arithmetic.HALVES), every(5, isHalf));
    conform(device -> device.asGraphics().allowing(Arithmetic.HALVES), every(7, isHalf));
  }
}
