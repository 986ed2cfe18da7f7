/** Runs graphs for requests: batches the sequences of all sessions, samples, streams. */
@NullMarked
package dev.kancil.engine;

import org.jspecify.annotations.NullMarked;
