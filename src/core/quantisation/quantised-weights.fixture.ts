import { readFileSync } from 'node:fs';
import type { ReadonlyJsonObject } from '../base/json.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { type QuantisationConfig, readQuantisation } from './quantisation-config.ts';
import type { TensorBytes } from './weight-scheme.ts';

/** A weight as a file stores it, and what it is worth (tools/goldens/number_formats.py). */
export interface QuantisedCase {
  readonly name: string;
  readonly quantisation: QuantisationConfig | undefined;
  /** By ending: `weight`, `weight_scale`, `qweight`, … */
  readonly parts: ReadonlyMap<string, TensorBytes>;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface StoredCase {
  readonly name: string;
  readonly config: ReadonlyJsonObject;
  readonly tensors: Readonly<Record<string, { dtype: Dtype; shape: readonly number[]; data: string }>>;
  readonly shape: readonly number[];
  readonly values: string;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

/** f32 from little-endian bytes in base64. */
export function floatsOf(base64: string): Float32Array<ArrayBuffer> {
  return new Float32Array(bytesOf(base64).buffer);
}

/** Every case of fixtures/quantised-weights.json, with bytes of its own. */
export function quantisedCases(): QuantisedCase[] {
  const stored: StoredCase[] = JSON.parse(
    readFileSync(new URL('./fixtures/quantised-weights.json', import.meta.url), 'utf8'),
  );
  return stored.map(({ name, config, tensors, shape, values }) => ({
    name,
    quantisation: readQuantisation(config),
    parts: new Map(
      Object.entries(tensors).map(([ending, { dtype, shape, data }]) => [
        ending,
        { name: `module.${ending}`, dtype, shape, bytes: bytesOf(data) },
      ]),
    ),
    shape,
    values: floatsOf(values),
  }));
}

/** The case of that name. @throws RangeError when there is none. */
export function quantisedCase(name: string): QuantisedCase {
  const found = quantisedCases().find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`no case "${name}"`);
  return found;
}
