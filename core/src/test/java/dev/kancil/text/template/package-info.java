/** Chat templates, held against Python's jinja2. */
@NullMarked
package dev.kancil.text.template;

import org.jspecify.annotations.NullMarked;
