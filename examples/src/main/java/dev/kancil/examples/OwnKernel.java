package dev.kancil.examples;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.graph.Value;
import dev.kancil.jcuda.JcudaBridge;
import dev.kancil.jcuda.JcudaTap;
import dev.kancil.tensor.DataType;
import dev.kancil.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * As {@link LookInside}, by a kernel of its own on an NVIDIA device: {@code OwnKernel MODEL.gguf
 * TEXT}. Context, stream, kernel and results are the application's, through JCuda; Kancil works in
 * that context and on that stream, and the kernel reads its values where they lie.
 */
public final class OwnKernel {
  /** The length of a vector of n floats x goes to y: one thread is enough here. */
  static final String KERNEL =
      """
      .version 7.0
      .target sm_75
      .address_size 64
      .visible .entry length(.param .u64 px, .param .u32 pn, .param .u64 py)
      {
        .reg .u64 %x, %y;
        .reg .u32 %n;
        .reg .f32 %v, %sum;
        .reg .pred %more;
        ld.param.u64 %x, [px];
        ld.param.u32 %n, [pn];
        ld.param.u64 %y, [py];
        mov.f32 %sum, 0f00000000;
      next:
        ld.global.f32 %v, [%x];
        fma.rn.f32 %sum, %v, %v, %sum;
        add.u64 %x, %x, 4;
        sub.u32 %n, %n, 1;
        setp.ne.u32 %more, %n, 0;
        @%more bra next;
        sqrt.rn.f32 %sum, %sum;
        st.global.f32 [%y], %sum;
        ret;
      }
      """;

  private OwnKernel() {}

  public static void main(String[] arguments) {
    JCudaDriver.setExceptionsEnabled(true);
    JCudaDriver.cuInit(0);
    CUdevice first = new CUdevice();
    JCudaDriver.cuDeviceGet(first, 0);
    CUcontext context = new CUcontext();
    JCudaDriver.cuCtxCreate(context, 0, first);
    CUstream stream = new CUstream();
    JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
    CUmodule module = new CUmodule();
    JCudaDriver.cuModuleLoadData(module, (KERNEL + "\0").getBytes(StandardCharsets.US_ASCII));
    CUfunction length = new CUfunction();
    JCudaDriver.cuModuleGetFunction(length, module, "length");

    try (GgufFile file = GgufFile.open(Path.of(arguments[0]))) {
      LoadedModel.OfDecoder loaded =
          Families.load(new GgufCheckpoint(file), DataType.F32, DataType.F32);
      List<String> names =
          Taps.capture(loaded.graph(), "hidden.layer.*").outputs().stream()
              .map(Value::name)
              .filter(name -> name.startsWith("hidden."))
              .toList();
      CUdeviceptr lengths = new CUdeviceptr();
      JCudaDriver.cuMemAlloc(lengths, (long) names.size() * Float.BYTES);
      Graph graph = loaded.graph();
      for (int i = 0; i < names.size(); i++) {
        CUdeviceptr target = lengths.withByteOffset((long) i * Float.BYTES);
        graph = Taps.call(graph, names.get(i), JcudaBridge.tap(lastLength(length, stream, target)));
      }
      int[] ids = Tokenizer.of(file.metadata()).encode(arguments[1], true, true);
      try (Device device = JcudaBridge.open(0, DeviceOptions.DEFAULT, context, stream);
          DeviceWeights weights = device.weights(loaded.weights())) {
        ForwardPass.run(device, graph, weights, ids, 256);
      }
      float[] results = new float[names.size()];
      JCudaDriver.cuMemcpyDtoH(Pointer.to(results), lengths, (long) results.length * Float.BYTES);
      for (int i = 0; i < results.length; i++) {
        System.out.printf("%s %.2f%n", names.get(i), results[i]);
      }
    }
    JCudaDriver.cuCtxDestroy(context);
  }

  /** Where steps follow each other, the last one's stays. */
  private static JcudaTap lastLength(CUfunction length, CUstream stream, CUdeviceptr target) {
    return (value, rows, columns) -> {
      long lastRow = (long) (rows - 1) * columns * Float.BYTES;
      Pointer parameters =
          Pointer.to(
              Pointer.to(value.withByteOffset(lastRow)),
              Pointer.to(new int[] {columns}),
              Pointer.to(target));
      JCudaDriver.cuLaunchKernel(length, 1, 1, 1, 1, 1, 1, 0, stream, parameters, null);
    };
  }
}
