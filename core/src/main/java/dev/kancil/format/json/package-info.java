/** A small reader of JSON: headers of model files, and the arguments of tool calls. */
@NullMarked
package dev.kancil.format.json;

import org.jspecify.annotations.NullMarked;
