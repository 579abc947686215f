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
const OWN_GOLDENS = new URL('../../../tools/goldens/data/', import.meta.url);

/** A router as transformers ran it: logits [T, E] as base64 of little-endian f32; selected and gates [T][K]. */
interface RoutedLayer {
  readonly logits: string;
  readonly selected: readonly (readonly number[])[];
  readonly gates: readonly (readonly number[])[];
}

interface Golden {
  readonly layers: readonly {
    readonly layer: number;
    readonly router: { readonly logits: { readonly b64: string }; selected: number[][]; weights: number[][] };
  }[];
}

const OWN: { readonly families: Readonly<Record<string, readonly RoutedLayer[]>> } = JSON.parse(
  readFileSync(new URL('./fixtures/routers.json', import.meta.url), 'utf8'),
);

async function open(root: URL, name: string): Promise<Checkpoint> {
  const folder = new URL(`${name}/`, root);
  const files = readdirSync(folder).filter((file) => file === 'config.json' || file.startsWith('model'));
  return openCheckpoint(
    new MemoryFolder(name, new Map(files.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))]))),
  );
}

function decodeF32(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

async function expectSameRouting(checkpoint: Checkpoint, layer: number, expected: RoutedLayer): Promise<void> {
  const biased = checkpoint.config.correctionBias
    ? { correctionBias: decodeStored(await readWeight(checkpoint, { part: 'correction-bias', layer })) }
    : {};
  const { router, topK } = checkpoint.config;
  const tokens = expected.selected.length;
  const routing = route(router, { logits: decodeF32(expected.logits), tokens, ...biased });
  const largest = Math.max(...expected.gates.flat());
  for (const [token, selected] of expected.selected.entries()) {
    // Transformers lists them by falling gate or in no order, ours by falling rank.
    const found = Array.from(routing.selected.subarray(token * topK, (token + 1) * topK));
    const where = `layer ${layer}, token ${token}`;
    expect(
      found.toSorted((a, b) => a - b),
      where,
    ).toEqual(selected.toSorted((a, b) => a - b));
    for (const [k, expert] of selected.entries()) {
      const gate = routing.gates[token * topK + found.indexOf(expert)] ?? Number.NaN;
      const error = Math.abs(gate - (expected.gates[token]?.[k] ?? 0));
      expect(error, `${where}, expert ${expert}`).toBeLessThanOrEqual(5e-7 * largest);
    }
  }
}

describe.skipIf(!AT_HAND)('route, against transformers 5.17', () => {
  it.each(NAMES)('%s: every token goes to the same experts with the same gates', async (name) => {
    const checkpoint = await open(GOLDENS, name);
    const { layers }: Golden = JSON.parse(readFileSync(new URL(`${name}/golden.json`, GOLDENS), 'utf8'));
    expect(layers.length).toBeGreaterThan(1);
    for (const { layer, router } of layers) {
      const { logits, selected, weights: gates } = router;
      await expectSameRouting(checkpoint, layer, { logits: logits.b64, selected, gates });
    }
  });
});

describe('route, against transformers 5.18', () => {
  it.each(Object.entries(OWN.families))(
    '%s: every token goes to the same experts with the same gates',
    async (name, routers) => {
      const checkpoint = await open(OWN_GOLDENS, name);
      const layers = [...checkpoint.config.layerPlans.keys()].filter((at) => checkpoint.config.layerPlans[at]?.moe);
      expect(layers).toHaveLength(routers.length);
      for (const [at, expected] of routers.entries()) await expectSameRouting(checkpoint, layers[at] ?? -1, expected);
    },
  );
});
