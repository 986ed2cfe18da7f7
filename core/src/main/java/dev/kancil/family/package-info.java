/**
 * Model families: a checkpoint's configuration and weight names become graphs, from composable
 * blocks.
 */
@NullMarked
package dev.kancil.family;

import org.jspecify.annotations.NullMarked;
