/** The scalar reference backend: the executable definition of every operation. */
@NullMarked
package dev.kancil.backend.reference;

import org.jspecify.annotations.NullMarked;
