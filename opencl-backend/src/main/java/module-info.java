/** Transformer operations on any OpenCL device, through JOCL. */
module dev.kancil.opencl {
  requires dev.kancil.core;
  requires dev.kancil.kernels;
  requires jocl;

  exports dev.kancil.backend.opencl;

  provides dev.kancil.backend.Backend with
      dev.kancil.backend.opencl.OpenClBackend;
}
