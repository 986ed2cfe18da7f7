/** Images, and how they become what a model takes. */
@NullMarked
package dev.kancil.image;

import org.jspecify.annotations.NullMarked;
