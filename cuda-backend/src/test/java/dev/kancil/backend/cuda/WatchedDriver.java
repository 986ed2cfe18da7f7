package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.CudaException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Counts the calls of a driver, and makes one of them fail. */
final class WatchedDriver {
  /** What makes something, and what gives it back. */
  private static final Map<String, String> PAIRS =
      Map.of(
          "allocate", "free",
          "allocatePinned", "freePinned",
          "createEvent", "destroyEvent",
          "createStream", "destroyStream",
          "loadModule", "unloadModule");

  private final Map<String, Integer> calls = new TreeMap<>();
  private String failing = "";
  private int callsLeft;

  /** The driver, watched. */
  CudaDriver watch(CudaDriver driver) {
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (_, method, arguments) -> call(driver, method, arguments));
  }

  private @Nullable Object call(CudaDriver driver, Method method, Object @Nullable [] arguments)
      throws Throwable {
    count(method.getName());
    try {
      return method.invoke(driver, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private synchronized void count(String name) {
    if (name.equals(failing) && --callsLeft == 0) {
      throw new CudaException(1, name + " fails, since the test says so");
    }
    calls.merge(name, 1, Integer::sum);
  }

  /** The {@code index}-th call of this name from now on fails. */
  synchronized void fail(String name, int index) {
    failing = name;
    callsLeft = index;
  }

  /** Calls so far that did not fail. */
  synchronized int calls(String name) {
    return calls.getOrDefault(name, 0);
  }

  /** What was made and not given back, by the name of what makes it. */
  synchronized Map<String, Integer> held() {
    Map<String, Integer> held = new TreeMap<>();
    PAIRS.forEach(
        (make, giveBack) -> {
          int count = calls(make) - calls(giveBack);
          if (count != 0) {
            held.put(make, count);
          }
        });
    return held;
  }
}
