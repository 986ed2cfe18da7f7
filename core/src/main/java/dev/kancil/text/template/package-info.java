/**
 * Chat templates: a small sandboxed interpreter for the part of Jinja that the models' templates
 * are written in, with the results of Python's jinja2 as Hugging Face transformers sets it up.
 *
 * <p>Text becomes tokens ({@code Lexer}), tokens become a tree ({@code StatementParser}, {@code
 * ExpressionParser}), and the nodes of the tree evaluate themselves against one {@code Evaluation},
 * which counts what a rendering costs. Nodes dispatch by virtual call and functions by a switch
 * over their names, because that starts faster than lambdas and pattern switches do.
 *
 * <p>A value is {@code None}, {@code Boolean}, {@code Long}, {@code BigInteger} (only passed
 * through), {@code Double}, {@code String}, {@code Markup}, {@code List}, {@code Tuple}, {@code
 * Map} or one of this package's objects; none of them can be changed by a template but a namespace.
 */
@NullMarked
package dev.kancil.text.template;

import org.jspecify.annotations.NullMarked;
