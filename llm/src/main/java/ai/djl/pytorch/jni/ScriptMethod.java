package ai.djl.pytorch.jni;

import ai.djl.pytorch.engine.PtSymbolBlock;

/**
 * Calls a TorchScript method in inference mode or outside of it, which DJL's public call does not
 * offer: tensors made in inference mode can neither enter a graph nor, outside of it, be updated in
 * place, but operators skip all that gradients need. The package is DJL's because the native entry
 * points are visible there only.
 */
public final class ScriptMethod {
  private ScriptMethod() {}

  /** Runs {@code method}; the caller closes the arguments and the result. */
  public static IValue run(
      PtSymbolBlock block, String method, boolean inference, IValue... arguments) {
    long[] handles = new long[arguments.length];
    for (int i = 0; i < handles.length; i++) {
      handles[i] = arguments[i].getHandle();
    }
    return new IValue(
        PyTorchLibrary.LIB.moduleRunMethod(block.getHandle(), method, handles, !inference, false));
  }
}
