package dev.kancil.backend.cuda;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
    return assembleAsItIs(
        text.replaceFirst("(?m)^\\.version [0-9.]+$", ".version " + VERSION), architecture);
  }

  private byte[] assembleAsItIs(String text, String architecture) {
    byte[] ptx = text.concat("\0").getBytes(US_ASCII);
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
      throw new CudaException(status, new String(log, US_ASCII).strip());
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
      String text = new String(ptx, 0, ptx.length - 1, US_ASCII);
      assertThat(assemble(text, "sm_" + architecture))
          .as(kernel.toString())
          .startsWith(0x7f, 'E', 'L', 'F');
    }
  }

  /** As drivers of the oldest version that packaged kernels are for would take them. */
  @Test
  void packagedKernelsAssembleAsTheyAre(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("kernels.jar");
    int kernels = TinyArchive.write(file, List.of(KernelTarget.values()));
    int assembled = 0;
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        if (entry.getName().endsWith(".ptx")) {
          Path path = Path.of(entry.getName());
          String ptx = new String(zip.getInputStream(entry).readAllBytes(), US_ASCII);
          assertThat(assembleAsItIs(ptx, "sm_" + path.getName(path.getNameCount() - 2)))
              .as(entry.getName())
              .startsWith(0x7f, 'E', 'L', 'F');
          assembled++;
        }
      }
    }
    assertThat(assembled).isEqualTo(kernels).isGreaterThan(100);
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
