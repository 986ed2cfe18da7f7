/** Text to token ids and back, as a model's own vocabulary prescribes. */
@NullMarked
package dev.kancil.text.tokenizer;

import org.jspecify.annotations.NullMarked;
