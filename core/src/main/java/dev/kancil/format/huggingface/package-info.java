/** Folders as Hugging Face transformers writes them: a configuration beside safetensors files. */
@NullMarked
package dev.kancil.format.huggingface;

import org.jspecify.annotations.NullMarked;
