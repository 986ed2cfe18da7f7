package dev.kancil.backend.cuda;

import dev.kancil.ModelFiles;
import dev.kancil.ModelKernels;
import dev.kancil.ModelOptions;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.format.synthetic.SyntheticModel;
import java.nio.file.Path;
import java.util.List;

/** Kernels of a small model. */
final class TinyArchive {
  static final SyntheticModel MODEL = SyntheticModel.parse("synthetic:tiny:Q4_K_M");

  private TinyArchive() {}

  /** Writes an archive, and returns how many kernels it has. */
  static int write(Path file, List<KernelTarget> targets) {
    CudaKernelCompiler compiler = new CudaKernelCompiler(RequiredNvrtc.find(), targets, false);
    ModelKernels.compile(() -> ModelFiles.of(MODEL.open()), ModelOptions.DEFAULT, false, compiler);
    compiler.write(file);
    return compiler.count();
  }
}
