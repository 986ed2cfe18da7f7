package dev.kancil.cuda.emulator;

import java.util.Locale;

/** Prints how many instructions times threads a second some kernels run, on one worker. */
final class EmulatorSpeed {
  private static final String SOURCE =
      """
      extern "C" __global__ void arithmetic(float *y, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        float x = i; int k = i;
        for (int j = 0; j < n; j++) { x = x * 0.999f + 1.0f; k = k * 5 + (k >> 3) ^ j; }
        y[i] = x + k;
      }
      extern "C" __global__ void rms_norm(const float *x, float *y, int n) {
        __shared__ float partial[32];
        const float *row = x + blockIdx.x * n;
        float sum = 0;
        for (int i = threadIdx.x; i < n; i += blockDim.x) sum += row[i] * row[i];
        for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, o);
        if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
        __syncthreads();
        float s = 0;
        for (int i = 0; i < blockDim.x / 32; i++) s += partial[i];
        float scale = rsqrtf(s / n + 1e-5f);
        for (int i = threadIdx.x; i < n; i += blockDim.x) y[blockIdx.x * n + i] = row[i] * scale;
      }
      extern "C" __global__ void dequantised(const unsigned char *w, const float *x, float *y, int blocks) {
        const unsigned char *row = w + (size_t)blockIdx.x * blocks * 18;
        float sum = 0;
        for (int b = threadIdx.x; b < blocks; b += blockDim.x) {
          const unsigned short *p = (const unsigned short *)(row + b * 18);
          float scale; asm("cvt.f32.f16 %0, %1;" : "=f"(scale) : "h"(p[0]));
          float part = 0;
          for (int j = 0; j < 8; j++) {
            int v = p[1 + j];
            const float *q = x + b * 32 + j * 2;
            part += ((v & 15) - 8) * q[0] + ((v >> 8 & 15) - 8) * q[1];
            part += ((v >> 4 & 15) - 8) * q[16] + ((v >> 12) - 8) * q[17];
          }
          sum += scale * part;
        }
        for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, o);
        if (threadIdx.x == 0) y[blockIdx.x] = sum;
      }
      extern "C" __global__ void tiled(const float *a, const float *b, float *c, int n) {
        __shared__ float s[16][16], t[16][16];
        int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * 16 + y, column = blockIdx.x * 16 + x;
        float sum = 0;
        for (int k = 0; k < n; k += 16) {
          s[y][x] = a[row * n + k + x];
          t[y][x] = b[(k + y) * n + column];
          __syncthreads();
          for (int j = 0; j < 16; j++) sum += s[y][j] * t[j][x];
          __syncthreads();
        }
        c[row * n + column] = sum;
      }
      extern "C" __global__ void matrices(const unsigned *x, float *y, int n) {
        unsigned a[4], b[2];
        float c[4] = {0, 0, 0, 0};
        for (int i = 0; i < 4; i++) a[i] = x[threadIdx.x + 32 * i];
        for (int i = 0; i < 2; i++) b[i] = x[threadIdx.x + 32 * i + 128];
        for (int j = 0; j < n; j++)
          asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
              : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
              : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
        for (int i = 0; i < 4; i++) y[threadIdx.x + 32 * i] = c[i];
      }
      extern "C" __global__ void copies(const float4 *x, float *y, int n) {
        __shared__ float4 s[2][256];
        unsigned at = (unsigned)__cvta_generic_to_shared(&s[0][threadIdx.x]);
        for (int j = 0; j < n; j++) {
          asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\\ncp.async.commit_group;\\ncp.async.wait_group 1;"
              :: "r"(at + j % 2 * 4096), "l"(x + j % 16 * 256 + threadIdx.x));
        }
        y[threadIdx.x] = s[0][threadIdx.x].x;
      }
      """;

  private EmulatorSpeed() {}

  public static void main(String[] arguments) {
    for (boolean checked : new boolean[] {true, false}) {
      EmulatedDevice device = EmulatedDevice.standard().withWorkers(1).withRaceCheck(checked);
      try (EmulatedKernels kernels = new EmulatedKernels(device).cuda(SOURCE)) {
        long y = kernels.upload(new float[1 << 20]);
        long x = kernels.upload(new float[1 << 20]);
        String label = checked ? " with race check" : "";
        time(kernels, "arithmetic" + label, () -> kernels.run("arithmetic", 64, 256, y, 500));
        time(kernels, "rms_norm" + label, () -> kernels.run("rms_norm", 64, 256, x, y, 4096));
        time(
            kernels,
            "dequantised" + label,
            () -> kernels.run("dequantised", 256, 32, x, y, y, 128));
        time(kernels, "matrices" + label, () -> kernels.run("matrices", 16, 32, x, y, 1000));
        time(kernels, "copies" + label, () -> kernels.run("copies", 4, 256, x, y, 500));
        int[] grid = {16, 16, 1};
        int[] block = {16, 16, 1};
        time(kernels, "tiled" + label, () -> kernels.run("tiled", grid, block, 0, x, y, y, 256));
      }
    }
  }

  private static void time(EmulatedKernels kernels, String name, Runnable launch) {
    double best = 0;
    long end = System.nanoTime() + 3_000_000_000L;
    while (System.nanoTime() < end) {
      long before = kernels.driver.executedInstructions();
      long start = System.nanoTime();
      launch.run();
      long nanos = System.nanoTime() - start;
      best = Math.max(best, (kernels.driver.executedInstructions() - before) * 1e3 / nanos);
    }
    System.out.printf(Locale.ROOT, "%s: %.0f million a second%n", name, best);
  }
}
