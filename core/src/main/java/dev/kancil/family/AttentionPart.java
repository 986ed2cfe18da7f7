package dev.kancil.family;

/** How a layer's rows take from those before them. */
public sealed interface AttentionPart permits AttentionLayer, LatentAttention {}
