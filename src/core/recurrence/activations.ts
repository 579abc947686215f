/** ln(1 + eˣ); x itself from 20 on, as PyTorch's default threshold has it. */
export function softplus(x: number): number {
  return x > 20 ? x : Math.log1p(Math.exp(x));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** x · σ(x) */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}
