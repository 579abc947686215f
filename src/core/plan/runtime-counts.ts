/**
 * Expert counts that a router kernel of vLLM knows by name; others crashed there once (vllm-project/vllm #51521, PR #50982).
 * Advice: a count outside runs in transformers, and in most kernels.
 */
const KNOWN_COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384, 448, 512, 576] as const;

export function isRuntimeFriendly(experts: number): boolean {
  return (KNOWN_COUNTS as readonly number[]).includes(experts);
}

/** The known counts next below and above, at most `experts`. */
export function friendlyNeighbours(keep: number, experts: number): number[] {
  const below = KNOWN_COUNTS.findLast((count) => count < keep);
  const above = KNOWN_COUNTS.find((count) => count > keep && count <= experts);
  return [below, above].filter((count) => count !== undefined);
}
