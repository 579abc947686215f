import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Architecture } from '../architectures/descriptor.ts';
import { architectures } from '../architectures/registry.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import { type ModelConfig, readModelConfig } from '../checkpoint/model-config.ts';
import { roleClassifier } from '../checkpoint/tensor-roles.ts';
import { parseHeader } from '../safetensors/header.ts';
import { inspect } from './inspect.ts';
import type { NamedTensor, Proposal } from './proposal.ts';

const PLACES = [
  new URL('../../../../shared/goldens/', import.meta.url),
  new URL('../../../tools/goldens/data/', import.meta.url),
];

/** A tiny checkpoint of a family that has a row, in one spelling of its config.json. */
export interface TinyCheckpoint {
  readonly name: string;
  readonly spelling: 'config.json' | 'config.v4.json';
  readonly configJson: ReadonlyJsonObject;
  readonly tensors: readonly NamedTensor[];
  readonly row: Architecture;
}

function headersAt(folder: URL): NamedTensor[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .flatMap((name) => {
      const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      return [...parseHeader(bytes.slice(0, 8 + length), bytes.length, name).tensors];
    });
}

/** Every tiny checkpoint that is here, in both spellings. */
export function tinyCheckpoints(): TinyCheckpoint[] {
  return PLACES.filter((place) => existsSync(place)).flatMap((place) =>
    readdirSync(place).flatMap((name) => {
      const folder = new URL(`${name}/`, place);
      if (!existsSync(new URL('config.json', folder))) return [];
      const tensors = headersAt(folder);
      return (['config.json', 'config.v4.json'] as const).flatMap((spelling): TinyCheckpoint[] => {
        const file = new URL(spelling, folder);
        if (!existsSync(file)) return [];
        const configJson: ReadonlyJsonObject = JSON.parse(readFileSync(file, 'utf8'));
        const row = architectures.all().find(({ modelTypes }) => modelTypes.includes(String(configJson.model_type)));
        return row === undefined || tensors.length === 0 ? [] : [{ name, spelling, configJson, tensors, row }];
      });
    }),
  );
}

/** What a descriptor comes to for one checkpoint: the numbers, every tensor's role, and what neither shows. */
export interface Effect {
  readonly config: Readonly<Record<string, unknown>>;
  readonly roles: ReadonlyMap<string, string>;
  readonly rest: Readonly<Record<string, unknown>>;
}

function usedConfig({ modelType, denseWidth, ...config }: ModelConfig): Readonly<Record<string, unknown>> {
  return { ...config, denseWidth: config.layerPlans.some(({ dense }) => dense) ? denseWidth : 0 };
}

export function effectOf(architecture: Architecture, { configJson, tensors }: TinyCheckpoint): Effect {
  const config = readModelConfig(configJson, architecture);
  const roleOf = roleClassifier(architecture, config.layers);
  const roles = new Map(tensors.map(({ name, shape }) => [name, JSON.stringify(roleOf(name, shape))]));
  const fused = [...roles.values()].some((role) => role?.includes('fused-experts'));
  return {
    config: usedConfig(config),
    roles,
    rest: {
      norm: architecture.norm,
      layerOrder: architecture.layerOrder,
      dense: architecture.dense !== null && config.layerPlans.some(({ dense }) => dense),
      gated: architecture.shared?.gated ?? false,
      fused: fused
        ? { orientation: architecture.experts.fused?.orientation, interleaved: architecture.experts.fused?.interleaved }
        : null,
      nextToken: config.nextTokenLayers === 0 ? null : architecture.nextTokenLayers?.place,
    },
  };
}

/** The proposal for a checkpoint whose own row is unknown. */
export function inspectWithoutRow({ configJson, tensors, row }: TinyCheckpoint): Proposal {
  return inspect({ configJson, tensors, knownRows: architectures.all().filter((other) => other !== row) });
}
