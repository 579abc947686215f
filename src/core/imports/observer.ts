import type { ByteSource } from '../bytes/byte-source.ts';
import type { PickleValue } from '../pickle/pickle-value.ts';
import { openTorchFile, type TorchFile } from '../pickle/torch-file.ts';
import { TorchTensor } from '../pickle/torch-tensor.ts';
import type { StatisticField } from '../saliency/layer-statistics.ts';
import { type ForeignLayer, type ForeignStatistics, sumsOf } from './foreign-statistics.ts';
import { invalidImport } from './refusals.ts';

/** Beyond any model; the walk over a hostile file ends here. */
const MOST_LAYERS = 4096;
/** How far the sum of renormalised gates may be from one a token: they are clamped and added in f32. */
const RENORMALISED_WITHIN = 1e-3;

/**
 * Reads the state that the observer of CerebrasResearch/reap saves: layer → name → tensor. Sums are taken as they are, and
 * made from mean × count where a file holds means alone; distances and characteristic activations are not read.
 * Source: `report_state` of its observer.py at 1970473.
 *
 * @throws StudioError of openTorchFile; plan/invalid-import naming layer and key.
 */
export async function readObserver(source: ByteSource): Promise<ForeignStatistics> {
  const file = await openTorchFile(source);
  const layers: ForeignLayer[] = [];
  if (!(file.value instanceof Map) || file.value.size === 0 || file.value.size > MOST_LAYERS) {
    throw invalidImport(source.name, 'holds no dict of layers, as the observer of the reference saves it');
  }
  for (const [key, state] of file.value) {
    if (typeof key !== 'number' || !Number.isInteger(key) || key < 0 || !(state instanceof Map)) {
      throw invalidImport(source.name, `holds no dict of tensors under the layer number ${String(key).slice(0, 40)}`);
    }
    layers.push(await readLayer(source.name, file, key, state));
  }
  layers.sort((a, b) => a.number - b.number);
  const renormalised = layers.every(gatesAddUpToOne);
  return {
    tool: 'the observer of the reference',
    gate: 'reference',
    layers,
    lacks: ['gateNormSquaredSum'],
    notes: [
      'Largest activations are signed there: an expert whose extreme is negative is under-rated by “Largest activation” and by the search for super experts.',
      ...(renormalised
        ? []
        : [
            'Its gates are softmax over all experts, not divided by their sum over the chosen: they differ from both gates that the studio measures.',
          ]),
    ],
  };
}

async function readLayer(
  name: string,
  file: TorchFile,
  number: number,
  state: ReadonlyMap<unknown, PickleValue>,
): Promise<ForeignLayer> {
  const tensor = async (key: string): Promise<Float64Array | undefined> => {
    const value = state.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number') return Float64Array.of(value);
    if (!(value instanceof TorchTensor)) throw invalidImport(name, `holds no tensor in "${key}" of layer ${number}`);
    return file.readTensor(value);
  };
  const count = await tensor('expert_frequency');
  const [tokens] = (await tensor('total_tokens')) ?? [];
  if (count === undefined || tokens === undefined) {
    throw invalidImport(
      name,
      `says nothing of ${count === undefined ? 'expert_frequency' : 'total_tokens'} in layer ${number}`,
    );
  }
  const sum = async (key: string, mean?: string): Promise<Float64Array> => {
    const means = mean === undefined ? undefined : await tensor(mean);
    const values = (await tensor(key)) ?? (means === undefined ? undefined : sumsOf(means, count));
    if (values?.length === count.length && values.every(Number.isFinite)) return values;
    const keys = mean === undefined ? `"${key}"` : `"${key}" or "${mean}"`;
    throw invalidImport(name, `has no finite number for each expert in ${keys} of layer ${number}`);
  };
  const sums = new Map<StatisticField, Float64Array>([
    ['count', count],
    ['normSum', await sum('ean_sum', 'ean_mean')],
    ['gateNormSum', await sum('weighted_ean_sum', 'reap')],
    ['gateSum', await sum('weighted_expert_frequency_sum')],
    ['maxAbs', await sum('max_activations')],
  ]);
  return { number, tokens, sums };
}

function gatesAddUpToOne({ tokens, sums }: ForeignLayer): boolean {
  const total = sums.get('gateSum')?.reduce((sum, value) => sum + value, 0) ?? 0;
  return Math.abs(total - tokens) <= tokens * RENORMALISED_WITHIN;
}
