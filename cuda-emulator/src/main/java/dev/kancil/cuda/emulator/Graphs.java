package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A context's graphs: work of a stream that was recorded, to be given to streams again. */
final class Graphs {
  /** What a stream records; only the capturing stream adds to it. */
  static final class Capture {
    private final List<Runnable> work = new ArrayList<>();
    private boolean spoiled;

    /** Records work instead of running it. */
    synchronized void add(Runnable recorded) {
      check();
      work.add(recorded);
    }

    synchronized void check() {
      if (spoiled) {
        throw CudaError.STREAM_CAPTURE_INVALIDATED.exception(
            "the stream was asked for what it can't do while it records");
      }
    }

    /** Refuses what can't be recorded; the capture is of no use any more. */
    synchronized RuntimeException refuse(String what) {
      check();
      spoiled = true;
      return CudaError.STREAM_CAPTURE_UNSUPPORTED.exception("the stream records: " + what);
    }

    private synchronized List<Runnable> end() {
      check();
      return List.copyOf(work);
    }
  }

  private final Map<Long, List<Runnable>> graphs = new ConcurrentHashMap<>();
  private final Map<Long, List<Runnable>> executables = new ConcurrentHashMap<>();

  void begin(Stream stream) {
    if (stream.capture() != null) {
      throw CudaError.ILLEGAL_STATE.exception("the stream records already");
    }
    stream.capture(new Capture());
  }

  long end(Stream stream) {
    Capture capture = stream.capture();
    if (capture == null) {
      throw CudaError.ILLEGAL_STATE.exception("the stream does not record");
    }
    stream.capture(null);
    long graph = Context.newHandle();
    graphs.put(graph, capture.end());
    return graph;
  }

  long instantiate(long graph) {
    long executable = Context.newHandle();
    executables.put(executable, Context.found(graphs.get(graph), "graph", graph));
    return executable;
  }

  /** All that was recorded, in order. */
  Runnable replay(long executable) {
    List<Runnable> work =
        Context.found(executables.get(executable), "executable graph", executable);
    return () -> work.forEach(Runnable::run);
  }

  void destroyGraph(long graph) {
    Context.found(graphs.remove(graph), "graph", graph);
  }

  void destroyExecutable(long executable) {
    Context.found(executables.remove(executable), "executable graph", executable);
  }
}
