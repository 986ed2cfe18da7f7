package dev.kancil.cuda.emulator.micro;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The comparison of drivers finds nothing where there is nothing, and something where there is. */
class MicroTestsTest {
  private static final EmulatedDevice DEVICE = EmulatedDevice.standard().withComputeCapability(90);

  private static String report(CudaDriver driver) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    MicroTests.run(driver, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theEmulatorKnowsEveryFormAndAgreesWithItself() {
    try (EmulatedDriver driver = new EmulatedDriver(DEVICE)) {
      assertThat(report(driver).lines().skip(1))
          .singleElement()
          .asString()
          .matches("0 forms of \\d{4} differ, 0 are for other devices, .*");
    }
  }

  @Test
  void formsOfOtherDevicesAreLeftOut() {
    try (EmulatedDriver driver =
        new EmulatedDriver(EmulatedDevice.standard().withComputeCapability(75))) {
      assertThat(report(driver))
          .containsPattern("\n0 forms of \\d+ differ, [1-9]\\d+ are for other");
    }
  }

  @Test
  void aBitThatIsWrongIsFound() {
    try (EmulatedDriver driver = new EmulatedDriver(DEVICE)) {
      CudaDriver wrong =
          (CudaDriver)
              Proxy.newProxyInstance(
                  CudaDriver.class.getClassLoader(),
                  new Class<?>[] {CudaDriver.class},
                  (_, method, arguments) -> {
                    try {
                      Object result = method.invoke(driver, arguments);
                      if (method.getName().equals("copyToHost")) {
                        MemorySegment target = (MemorySegment) arguments[0];
                        byte low = target.get(ValueLayout.JAVA_BYTE, 34);
                        target.set(ValueLayout.JAVA_BYTE, 34, (byte) (low ^ 0x40));
                      }
                      return result;
                    } catch (InvocationTargetException e) {
                      throw e.getCause();
                    }
                  });
      String report = report(wrong);
      assertThat(report)
          .contains("add.u32: 1 of 4096, first %d0 of 0x3f 0x0 is 0x40003f, not 0x3f\n");
      assertThat(report.lines().count()).isGreaterThan(500);
    }
  }
}
