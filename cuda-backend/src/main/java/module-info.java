/** Transformer operations on NVIDIA devices, through the CUDA driver API. */
module dev.kancil.cuda {
  requires dev.kancil.bindings;
  requires dev.kancil.core;
  requires dev.kancil.kernels;

  exports dev.kancil.backend.cuda;

  provides dev.kancil.backend.Backend with
      dev.kancil.backend.cuda.CudaBackend;
}
