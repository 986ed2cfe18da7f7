/** One suite that every backend runs: operations × types × shapes against the reference. */
@NullMarked
package dev.kancil.conformance;

import org.jspecify.annotations.NullMarked;
