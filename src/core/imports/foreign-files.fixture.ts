import { readFileSync } from 'node:fs';
import { MemorySource } from '../bytes/memory-source.ts';
import type { CheckpointSummary } from '../checkpoint/summary.ts';
import { moeLayer, summaryOf } from '../plan/selection.fixture.ts';

/** A file under fixtures/. */
export function fixtureSource(name: string): MemorySource {
  return new MemorySource(name, new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url))));
}

export function jsonSource(name: string, value: unknown): MemorySource {
  return new MemorySource(name, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
}

/** A model whose layers with experts are `layers`, each with `experts`. */
export function modelOf(layers: readonly number[], experts: number, topK = 2): CheckpointSummary {
  return summaryOf(layers.map((layer) => moeLayer(layer, experts, topK)));
}

/** One layer as llama-expert-profile prints it; expert e puts out norms of e + 1 under a gate of a half. */
export function profiledLayer(counts: readonly number[], topK = 2): Readonly<Record<string, unknown>> {
  const tokens = counts.reduce((sum, count) => sum + count, 0) / topK;
  const used = (value: (expert: number) => number) => counts.map((count, expert) => (count === 0 ? 0 : value(expert)));
  return {
    total_tokens: tokens,
    activation_counts: counts,
    activation_frequency: counts.map((count) => count / tokens),
    avg_gate_weight: used(() => 0.5),
    ean_mean: used((expert) => expert + 1),
    reap: used((expert) => (expert + 1) / 2),
    never_activated: counts.filter((count) => count === 0).length,
  };
}
