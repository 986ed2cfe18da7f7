package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the compiler makes of CUDA's mathematical functions, for old and new devices. */
class MathFunctionsTest {
  private static final int FUNCTIONS = 24;
  private static final String SOURCE =
      """
      extern "C" __global__ void f(const float *x, float *y, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        float a = x[i], b = fabsf(a) + 0.25f;
        float *r = y + 24 * i;
        r[0] = expf(a); r[1] = logf(b); r[2] = powf(b, a); r[3] = sinf(a); r[4] = cosf(a);
        r[5] = tanhf(a); r[6] = erff(a); r[7] = sqrtf(b); r[8] = rsqrtf(b); r[9] = exp2f(a);
        r[10] = log2f(b); r[11] = fmodf(a, b); r[12] = floorf(a); r[13] = ceilf(a);
        r[14] = roundf(a); r[15] = rintf(a); r[16] = truncf(a); r[17] = a / b; r[18] = 1 / b;
        r[19] = log1pf(b); r[20] = (float)exp((double)a); r[21] = (float)log((double)b);
        r[22] = (float)(sqrt((double)b) / 3.0); r[23] = copysignf(b, a);
      }
      """;

  private static double expected(int function, double a) {
    double b = Math.abs((float) a) + 0.25f;
    return switch (function) {
      case 0, 20 -> Math.exp(a);
      case 1, 21 -> Math.log(b);
      case 2 -> Math.pow(b, a);
      case 3 -> Math.sin(a);
      case 4 -> Math.cos(a);
      case 5 -> Math.tanh(a);
      case 6 -> errorFunction(a);
      case 7 -> Math.sqrt(b);
      case 8 -> 1 / Math.sqrt(b);
      case 9 -> Math.pow(2, a);
      case 10 -> Math.log(b) / Math.log(2);
      case 11 -> a % b;
      case 12 -> Math.floor(a);
      case 13 -> Math.ceil(a);
      case 14 -> Math.copySign(Math.floor(Math.abs(a) + 0.5), a);
      case 15 -> Math.rint(a);
      case 16 -> (long) a;
      case 17 -> a / b;
      case 18 -> 1 / b;
      case 19 -> Math.log1p(b);
      case 22 -> Math.sqrt(b) / 3;
      default -> Math.copySign(b, a);
    };
  }

  private static double errorFunction(double x) {
    // Its Taylor series, good to double precision for the arguments here.
    double term = x;
    double sum = x;
    for (int n = 1; n < 120; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return sum * 2 / Math.sqrt(Math.PI);
  }

  @ParameterizedTest
  @CsvSource({
    "compute_75, ''",
    "compute_80, ''",
    "compute_80, -use_fast_math",
    "compute_90, ''",
    "compute_100, ''",
    "compute_120, -use_fast_math"
  })
  void functionsAgreeWithJava(String architecture, String option) {
    int n = 500;
    float[] x = new float[n];
    Random random = new Random(1);
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian() * 1.3f;
    }
    String[] options = option.isEmpty() ? new String[0] : new String[] {option};
    String ptx = EmulatedKernels.compile(SOURCE, architecture, options);
    EmulatedDevice device = EmulatedDevice.standard().withComputeCapability(120);
    try (EmulatedKernels kernels = new EmulatedKernels(device).ptx(ptx)) {
      long y = kernels.upload(new float[FUNCTIONS * n]);
      kernels.run("f", 4, 128, kernels.upload(x), y, n);
      float[] result = kernels.floats(y, FUNCTIONS * n);
      double tolerance = option.isEmpty() ? 4e-7 : 4e-6;
      for (int i = 0; i < result.length; i++) {
        double value = expected(i % FUNCTIONS, x[i / FUNCTIONS]);
        assertThat((double) result[i])
            .as("function %d of %s", i % FUNCTIONS, x[i / FUNCTIONS])
            .isCloseTo(value, within(tolerance * Math.max(1, Math.abs(value))));
      }
    }
  }
}
