package dev.kancil.cuda.emulator.micro;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.DeviceAttribute;
import dev.kancil.bindings.cuda.SystemCudaDriver;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs every form of instruction that the emulator knows on two drivers, and compares the results
 * bit for bit; but for NaNs, which are all the same, and for what the PTX ISA calls approximate.
 */
public final class MicroTests {
  /** Errors from here on end a context. */
  private static final int FIRST_LASTING_ERROR = 700;

  private final CudaDriver tested;
  private final CudaDriver reference;
  private final PrintStream out;
  private int compared;
  private int different;
  private int skipped;

  private MicroTests(CudaDriver tested, CudaDriver reference, PrintStream out) {
    this.tested = tested;
    this.reference = reference;
    this.out = out;
  }

  /** Compares the system's first device with the emulator; ends with 1 if they differ. */
  public static void main(String[] arguments) {
    CudaDriver system = SystemCudaDriver.find().orElse(null);
    if (system == null) {
      System.err.println("there is no CUDA driver");
      System.exit(2);
    } else {
      System.exit(run(system, System.out) == 0 ? 0 : 1);
    }
  }

  /**
   * Compares a driver's first device with an emulator of the same compute capability.
   *
   * @return how many forms differ
   */
  public static int run(CudaDriver tested, PrintStream out) {
    int major = tested.attribute(0, DeviceAttribute.COMPUTE_CAPABILITY_MAJOR);
    int capability = 10 * major + tested.attribute(0, DeviceAttribute.COMPUTE_CAPABILITY_MINOR);
    out.println(tested.name(0) + ", compute capability " + capability + ", and the emulator");
    EmulatedDevice device = EmulatedDevice.standard().withComputeCapability(capability);
    try (EmulatedDriver emulator = new EmulatedDriver(device)) {
      return new MicroTests(tested, emulator, out).run(capability);
    }
  }

  /** All forms. */
  static List<MicroForm> forms() {
    List<MicroForm> forms = new ArrayList<>();
    IntegerForms.add(forms);
    FloatForms.add(forms);
    ConversionForms.add(forms);
    WarpForms.add(forms);
    WarpgroupForms.add(forms);
    MemoryForms.add(forms);
    MbarrierForms.add(forms);
    return forms;
  }

  private int run(int capability) {
    long start = System.nanoTime();
    long testedContext = tested.retainContext(0);
    long referenceContext = reference.retainContext(0);
    try {
      for (MicroForm form : forms()) {
        if (!form.runsOn(capability)) {
          skipped++;
          continue;
        }
        compared++;
        if (!compare(form, testedContext, referenceContext)) {
          break;
        }
      }
    } finally {
      tested.releaseContext(0);
    }
    out.printf(
        Locale.ROOT,
        "%d forms of %d differ, %d are for other devices, %.1f s%n",
        different,
        compared,
        skipped,
        (System.nanoTime() - start) * 1e-9);
    out.flush();
    return different;
  }

  /** Whether more forms can be run. */
  private boolean compare(MicroForm form, long testedContext, long referenceContext) {
    long[][] operands = MicroOperands.of(form);
    try {
      reference.makeCurrent(referenceContext);
      long[][] expected = MicroKernel.run(reference, form, operands);
      tested.makeCurrent(testedContext);
      long[][] got = MicroKernel.run(tested, form, operands);
      String difference = MicroComparison.describe(form, operands, got, expected);
      if (!difference.isEmpty()) {
        tell(form, difference);
      }
      return true;
    } catch (CudaException e) {
      tell(form, String.valueOf(e.getMessage()));
      return e.code() < FIRST_LASTING_ERROR;
    }
  }

  private void tell(MicroForm form, String what) {
    different++;
    out.println(form.name() + ": " + what.lines().findFirst().orElse(""));
    out.flush();
  }
}
