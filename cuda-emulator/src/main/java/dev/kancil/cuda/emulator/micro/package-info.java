/**
 * Small kernels of one instruction each, to compare two CUDA drivers: a GPU's with the emulator
 * that stands for it in tests.
 */
@NullMarked
package dev.kancil.cuda.emulator.micro;

import org.jspecify.annotations.NullMarked;
