/** The service provider interface: backends, devices, programs, steps and sequence state. */
@NullMarked
package dev.kancil.backend;

import org.jspecify.annotations.NullMarked;
