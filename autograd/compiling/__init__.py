"""Programs of `vectorize` as C: printed from their trees, compiled when first used, checked before they are used."""
