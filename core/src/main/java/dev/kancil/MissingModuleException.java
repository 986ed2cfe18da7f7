package dev.kancil;

/** The JVM was started without a module that a model needs; the message says what for. */
public final class MissingModuleException extends KancilException {
  private static final long serialVersionUID = 1L;

  private final String module;

  /**
   * @param what needs it, as the beginning of a sentence
   */
  public MissingModuleException(String what, String module) {
    super("%s: start java with --add-modules %s".formatted(what, module), null);
    this.module = module;
  }

  /** The module's name. */
  public String module() {
    return module;
  }
}
