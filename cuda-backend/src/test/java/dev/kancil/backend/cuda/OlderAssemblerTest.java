package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import java.nio.charset.StandardCharsets;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The PTX that NVRTC makes needs no newer assembler than CUDA 12.0's, which JCuda 12.6.0 brings:
 * what it was made by is years newer. It needs no GPU.
 */
class OlderAssemblerTest {
  /** The newest version of PTX that CUDA 12.0 knows. */
  private static final String VERSION = "8.0";

  private final nvPTXCompilerHandle handle = new nvPTXCompilerHandle();

  @BeforeAll
  static void requireNatives() {
    if (!System.getProperty("os.name", "").equals("Linux")
        || !System.getProperty("os.arch", "").equals("amd64")) {
      String message = "SKIPPED: JCuda's assembler is on the class path for Linux on x86-64 alone";
      System.err.println(message);
      Assumptions.abort(message);
    }
  }

  /** The machine code of a text, which says that it is of the assembler's version. */
  private byte[] assemble(String text, String architecture) {
    byte[] ptx =
        text.replaceFirst("(?m)^\\.version [0-9.]+$", ".version " + VERSION)
            .concat("\0")
            .getBytes(StandardCharsets.US_ASCII);
    JNvPTXCompiler.setExceptionsEnabled(false);
    check(JNvPTXCompiler.nvPTXCompilerCreate(handle, ptx.length, ptx));
    try {
      String[] options = {"--gpu-name=" + architecture};
      check(JNvPTXCompiler.nvPTXCompilerCompile(handle, options.length, options));
      long[] size = new long[1];
      check(JNvPTXCompiler.nvPTXCompilerGetCompiledProgramSize(handle, size));
      byte[] code = new byte[Math.toIntExact(size[0])];
      check(JNvPTXCompiler.nvPTXCompilerGetCompiledProgram(handle, code));
      return code;
    } finally {
      JNvPTXCompiler.nvPTXCompilerDestroy(handle);
    }
  }

  private void check(int status) {
    if (status != 0) {
      long[] size = new long[1];
      JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size);
      byte[] log = new byte[Math.toIntExact(size[0])];
      JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log);
      throw new CudaException(status, new String(log, StandardCharsets.US_ASCII).strip());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"75", "80", "90a"})
  void representativeKernelsAssemble(String architecture) {
    Nvrtc compiler = RequiredNvrtc.find();
    for (RepresentativeKernels.Kernel kernel :
        RepresentativeKernels.of("compute_" + architecture)) {
      byte[] ptx =
          CudaKernels.compile(compiler, kernel.file(), kernel.source(), "compute_" + architecture);
      String text = new String(ptx, 0, ptx.length - 1, StandardCharsets.US_ASCII);
      assertThat(assemble(text, "sm_" + architecture))
          .as(kernel.toString())
          .startsWith(0x7f, 'E', 'L', 'F');
    }
  }

  @Test
  void aTextForNewerDevicesIsRefused() {
    String text = ".version 8.0\n.target sm_90a\n.address_size 64\n.entry f()\n{\nret;\n}\n";
    assertThat(assemble(text, "sm_90a")).isNotEmpty();
    assertThatThrownBy(() -> assemble(text, "sm_80")).isInstanceOf(CudaException.class);
    assertThatThrownBy(() -> assemble(text.replace("ret;", "retire;"), "sm_90a"))
        .hasMessageContaining("retire");
  }
}
