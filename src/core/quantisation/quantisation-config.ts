import { isJsonObject, type ReadonlyJsonObject } from '../base/json.ts';

/** What config.json says about how weights are stored; which weights are, their tensors say. */
export interface QuantisationConfig {
  /** `fp8`, `mxfp4`, `gptq`, `awq`, `compressed-tensors`, … */
  readonly method: string;
  /** Rows and columns that share a scale in FP8 block quantisation. */
  readonly block: readonly [number, number] | undefined;
  /** Bits of an integer, 4 unless the config says otherwise. */
  readonly bits: number;
  /** GPTQ files of the second version hold their zero points as they are, those of the first less one. */
  readonly zeroPointsAsStored: boolean;
}

function firstGroupBits(json: ReadonlyJsonObject): number | undefined {
  const groups = json['config_groups'];
  if (!isJsonObject(groups)) return undefined;
  for (const group of Object.values(groups)) {
    const weights = isJsonObject(group) ? group['weights'] : undefined;
    const bits = isJsonObject(weights) ? weights['num_bits'] : undefined;
    if (typeof bits === 'number') return bits;
  }
  return undefined;
}

/** Reads config.json's `quantization_config`; undefined when there is none. */
export function readQuantisation(json: ReadonlyJsonObject | undefined): QuantisationConfig | undefined {
  if (json === undefined) return undefined;
  const { weight_block_size: block, bits, w_bit: awqBits } = json;
  const [rows, columns] = Array.isArray(block) ? block : [];
  const own = [bits, awqBits, firstGroupBits(json)].find((value) => typeof value === 'number');
  return {
    method: String(json['quant_method'] ?? ''),
    block:
      typeof rows === 'number' && typeof columns === 'number' && rows > 0 && columns > 0 ? [rows, columns] : undefined,
    bits: typeof own === 'number' ? own : 4,
    zeroPointsAsStored: json['checkpoint_format'] === 'gptq_v2',
  };
}
