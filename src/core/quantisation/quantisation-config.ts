import { isJsonObject, type ReadonlyJsonObject } from '../base/json.ts';

/** Integers of one width, as a group of compressed-tensors' `config_groups` describes them. */
export interface IntegerGroup {
  readonly bits: number;
  /** Inputs that share a scale; undefined when a whole row does. */
  readonly groupSize: number | undefined;
}

/** What config.json says about how weights are stored; which weights are, their tensors say. */
export interface QuantisationConfig {
  /** `fp8`, `mxfp4`, `gptq`, `awq`, `compressed-tensors`, … */
  readonly method: string;
  /** Rows and columns that share a scale in FP8 block quantisation. */
  readonly block: readonly [number, number] | undefined;
  /** Bits of an integer, 4 unless the config says otherwise. */
  readonly bits: number;
  /** Inputs that share a scale; undefined when the config does not say, or a whole row does. */
  readonly groupSize: number | undefined;
  /** Every width that compressed-tensors' groups name: modules may differ. */
  readonly groups: readonly IntegerGroup[];
  /** GPTQ files of the second version hold their zero points as they are, those of the first less one. */
  readonly zeroPointsAsStored: boolean;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}

function pair(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [rows, columns] = value.map(positive);
  return rows === undefined || columns === undefined ? undefined : [rows, columns];
}

function weightsOfGroups(json: ReadonlyJsonObject): ReadonlyJsonObject[] {
  const groups = json['config_groups'];
  if (!isJsonObject(groups)) return [];
  return Object.values(groups).flatMap((group) => {
    const weights = isJsonObject(group) ? group['weights'] : undefined;
    return isJsonObject(weights) ? [weights] : [];
  });
}

/** Reads config.json's `quantization_config`; undefined when there is none. */
export function readQuantisation(json: ReadonlyJsonObject | undefined): QuantisationConfig | undefined {
  if (json === undefined) return undefined;
  const inGroups = weightsOfGroups(json);
  const groups = inGroups.flatMap((weights): IntegerGroup[] => {
    const bits = positive(weights['num_bits']);
    return bits === undefined ? [] : [{ bits, groupSize: positive(weights['group_size']) }];
  });
  return {
    method: String(json['quant_method'] ?? ''),
    block:
      pair(json['weight_block_size']) ??
      inGroups.map((weights) => pair(weights['block_structure'])).find((block) => block !== undefined),
    bits: positive(json['bits']) ?? positive(json['w_bit']) ?? groups[0]?.bits ?? 4,
    groupSize: positive(json['group_size']) ?? positive(json['q_group_size']),
    groups,
    zeroPointsAsStored: json['checkpoint_format'] === 'gptq_v2',
  };
}
