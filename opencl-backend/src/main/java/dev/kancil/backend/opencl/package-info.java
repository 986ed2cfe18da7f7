/** Any OpenCL device: host code on JOCL. */
@NullMarked
package dev.kancil.backend.opencl;

import org.jspecify.annotations.NullMarked;
