/** NVIDIA devices: host code on the CUDA driver API. */
@NullMarked
package dev.kancil.backend.cuda;

import org.jspecify.annotations.NullMarked;
