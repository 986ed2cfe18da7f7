package dev.kancil.cuda.emulator;

/**
 * A kernel that is ready to run.
 *
 * @param parameterBytes of its arguments, one after the other
 * @param staticSharedBytes before the memory that a launch asks for, aligned for it
 * @param localBytes of each thread
 * @param maxThreads of a block
 * @param inOrder whether blocks run one after the other: kernels with atomic operations in global
 *     memory, whose results would depend on the order
 * @param granule of the race check, the smallest access to shared memory
 * @param hasMbarriers whether it uses mbarriers, or copies in bulk
 * @param productRows the rows of registers that products of warpgroups use
 */
record Kernel(
    String name,
    Instruction[] code,
    Rows rows,
    int parameterBytes,
    int staticSharedBytes,
    int localBytes,
    int maxThreads,
    boolean inOrder,
    int granule,
    boolean hasMbarriers,
    int[] productRows) {}
