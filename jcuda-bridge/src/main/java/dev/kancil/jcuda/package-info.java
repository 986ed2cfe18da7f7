/**
 * For applications that use JCuda: Kancil works in their context and on their stream, and their
 * kernels see and change values where they lie.
 */
@NullMarked
package dev.kancil.jcuda;

import org.jspecify.annotations.NullMarked;
