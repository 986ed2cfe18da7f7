package dev.kancil.graph.op;

/** An operation that is defined by its formula alone. */
public sealed interface Primitive extends Op
    permits Activate,
        Add,
        Attention,
        Bias,
        CacheWrite,
        Clamp,
        ClampedGlu,
        Concatenate,
        Embedding,
        Glu,
        HostCall,
        LayerNorm,
        MatMul,
        MoeBias,
        MoeMatMul,
        MoeRoute,
        MoeSum,
        RmsNorm,
        Rope,
        Sample,
        Scale,
        SelectColumns,
        SelectRows,
        SlotIds,
        SoftCap {}
