package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node that writes or sets something. */
sealed interface Statement {
  /** Whether the statements after this one run. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Flow execute(Evaluation evaluation);

  record Text(String text) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      evaluation.write(text);
      return Flow.NEXT;
    }
  }

  record Output(Expression expression, int line) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      evaluation.at(line);
      evaluation.write(PythonText.string(evaluation, evaluation.evaluate(expression)));
      return Flow.NEXT;
    }
  }

  record Branch(Expression condition, List<Statement> body, int line) {}

  record If(List<Branch> branches, List<Statement> otherwise) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      for (Branch branch : branches) {
        evaluation.at(branch.line);
        if (Values.isTrue(evaluation.evaluate(branch.condition))) {
          return evaluation.execute(branch.body);
        }
      }
      return evaluation.execute(otherwise);
    }
  }

  record For(
      Target target,
      Expression iterable,
      @Nullable Expression filter,
      List<Statement> body,
      List<Statement> otherwise,
      boolean recursive,
      int line)
      implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      evaluation.at(line);
      return run(evaluation, evaluation.evaluate(iterable), 0);
    }

    /** Loops over a value; a recursive loop's own {@code loop(…)} comes back here, deeper. */
    Flow run(Evaluation evaluation, Object value, int depth) {
      List<Object> elements = Values.iterate(evaluation, value);
      Scope outer = evaluation.scope();
      if (filter != null) {
        elements = filtered(evaluation, outer, elements, filter);
      }
      LoopState loop = new LoopState(recursive ? this : null, elements, depth);
      for (int i = 0; i < elements.size(); i++) {
        Scope scope = new Scope(outer);
        loop.moveTo(i);
        scope.set("loop", loop);
        target.assign(evaluation, scope, elements.get(i));
        evaluation.enter(scope);
        Flow flow = evaluation.execute(body);
        evaluation.enter(outer);
        evaluation.step();
        if (flow == Flow.BREAK) {
          break;
        }
      }
      return elements.isEmpty() ? evaluation.executeIn(new Scope(outer), otherwise) : Flow.NEXT;
    }

    private List<Object> filtered(
        Evaluation evaluation, Scope outer, List<Object> elements, Expression condition) {
      List<Object> kept = new ArrayList<>();
      for (Object element : elements) {
        Scope scope = new Scope(outer);
        target.assign(evaluation, scope, element);
        evaluation.enter(scope);
        if (Values.isTrue(evaluation.evaluate(condition))) {
          kept.add(element);
        }
      }
      evaluation.enter(outer);
      return kept;
    }
  }

  record Set(Target target, Expression value, int line) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      evaluation.at(line);
      target.assign(evaluation, evaluation.scope(), evaluation.evaluate(value));
      return Flow.NEXT;
    }
  }

  /** {@code set x}, {@code filter f}: what the body writes, filtered, is assigned or written. */
  record Captured(@Nullable Target target, Expression filters, List<Statement> body, int line)
      implements Statement {
    /** The name that the captured text has in {@code filters}; no template can write it. */
    static final String INPUT = "<captured>";

    @Override
    public Flow execute(Evaluation evaluation) {
      Scope outer = evaluation.scope();
      Scope scope = new Scope(outer);
      scope.set(INPUT, evaluation.capture(scope, body));
      evaluation.at(line);
      evaluation.enter(scope);
      Object value = evaluation.evaluate(filters);
      evaluation.enter(outer);
      if (target == null) {
        evaluation.write(PythonText.string(evaluation, value));
      } else {
        target.assign(evaluation, outer, value);
      }
      return Flow.NEXT;
    }
  }

  record MacroDefinition(MacroSignature signature) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      Scope scope = evaluation.scope();
      scope.set(signature.name(), new Macro(signature, scope));
      return Flow.NEXT;
    }
  }

  /** {@code call f(…)}: calls f, which may call the body back as {@code caller}. */
  record CallBlock(MacroSignature caller, Expression.Call call, int line) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      evaluation.at(line);
      Object function = evaluation.evaluate(call.function());
      Arguments arguments = call.arguments().evaluate(evaluation);
      Map<String, Object> named = new LinkedHashMap<>(arguments.named());
      named.put("caller", new Macro(caller, evaluation.scope()));
      Object result = evaluation.call(function, new Arguments(arguments.positional(), named));
      evaluation.write(PythonText.string(evaluation, result));
      return Flow.NEXT;
    }
  }

  /** {@code with a = 1}, {@code generation}: a body with names of its own. */
  record Scoped(List<Set> names, List<Statement> body) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      Scope scope = new Scope(evaluation.scope());
      for (Set name : names) {
        name.target.assign(evaluation, scope, evaluation.evaluate(name.value));
      }
      return evaluation.executeIn(scope, body);
    }
  }

  record Jump(Flow flow) implements Statement {
    @Override
    public Flow execute(Evaluation evaluation) {
      return flow;
    }
  }
}
