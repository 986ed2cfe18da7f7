package dev.kancil.graph.op;

/** An operation that is defined by its formula alone. */
public sealed interface Primitive extends Op
    permits Activate,
        Add,
        Attention,
        Bias,
        CacheWrite,
        Embedding,
        Glu,
        HostCall,
        LayerNorm,
        MatMul,
        MoeMatMul,
        MoeRoute,
        MoeSum,
        RmsNorm,
        Rope,
        Sample,
        Scale,
        SelectRows,
        SoftCap {}
