import { type GroupedLayer, possibleKeepCounts } from './expert-groups.ts';

/**
 * Expert counts that a router kernel of vLLM is compiled for; others crashed there once (vllm-project/vllm #51521,
 * PR #50982). Advice, never a condition: a count outside runs in transformers, and in most kernels.
 */
const KNOWN_COUNTS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384, 448, 512, 576];

/** The known counts that a layer can be cut to, ascending. */
export function runtimeFriendlyCounts(layer: GroupedLayer): number[] {
  const possible = new Set(possibleKeepCounts(layer));
  return KNOWN_COUNTS.filter((count) => possible.has(count));
}

/** Of those counts the nearest below and above `keep`; empty where `keep` is a known count itself, or none is near. */
export function friendlyNeighbours(layer: GroupedLayer, keep: number): number[] {
  if (KNOWN_COUNTS.includes(keep)) return [];
  const counts = runtimeFriendlyCounts(layer);
  const below = counts.findLast((count) => count < keep);
  const above = counts.find((count) => count > keep);
  return [below, above].filter((count) => count !== undefined);
}
