import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryFolder } from '../bytes/memory-folder.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { readWeight } from '../checkpoint/read-tensor.ts';
import { decodeStored } from '../checkpoint/read-weights.ts';
import { route } from './route.ts';

const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);
const AT_HAND = existsSync(GOLDENS);
const NAMES = AT_HAND ? readdirSync(GOLDENS).filter((name) => existsSync(new URL(`${name}/golden.json`, GOLDENS))) : [];

interface RoutedLayer {
  readonly layer: number;
  readonly tokens: number;
  readonly router: {
    readonly selected: number[][];
    readonly weights: number[][];
    readonly logits: { readonly b64: string };
  };
}

async function open(name: string): Promise<Checkpoint> {
  const folder = new URL(`${name}/`, GOLDENS);
  const files = readdirSync(folder).filter((file) => file === 'config.json' || file.startsWith('model'));
  return openCheckpoint(
    new MemoryFolder(name, new Map(files.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))]))),
  );
}

function decodeF32(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

describe.skipIf(!AT_HAND)('route, against transformers', () => {
  it.each(NAMES)('%s: every token goes to the same experts with the same gates', async (name) => {
    const checkpoint = await open(name);
    const layers: RoutedLayer[] = JSON.parse(readFileSync(new URL(`${name}/golden.json`, GOLDENS), 'utf8')).layers;
    expect(layers.length).toBeGreaterThan(1);
    for (const { layer, tokens, router } of layers) {
      const biased = checkpoint.config.correctionBias
        ? { correctionBias: decodeStored(await readWeight(checkpoint, { part: 'correction-bias', layer })) }
        : {};
      const routing = route(checkpoint.config.router, { logits: decodeF32(router.logits.b64), tokens, ...biased });
      const { topK } = checkpoint.config;
      const largest = Math.max(...router.weights.flat());
      for (let token = 0; token < tokens; token++) {
        // Transformers lists them by falling gate, ours by falling rank: a bias can turn the two around.
        const gates = new Map(
          Array.from({ length: topK }, (_, k) => [
            routing.selected[token * topK + k] ?? -1,
            routing.gates[token * topK + k] ?? Number.NaN,
          ]),
        );
        for (const [k, expert] of (router.selected[token] ?? []).entries()) {
          const error = Math.abs((gates.get(expert) ?? Number.NaN) - (router.weights[token]?.[k] ?? 0));
          expect(error, `layer ${layer}, token ${token}, expert ${expert}`).toBeLessThanOrEqual(5e-7 * largest);
        }
      }
    }
  });
});
