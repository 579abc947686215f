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
      // The BF16 twins have the names and numbers of the F32 ones.
      if (name.endsWith('_bf16') || !existsSync(new URL('config.json', folder))) return [];
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

/** One tensor of each kind of each layer: what the others are follows from their names. */
function oneOfEachKind(tensors: readonly NamedTensor[]): NamedTensor[] {
  const kinds = new Map(tensors.map((tensor) => [tensor.name.replace(/experts\.\d+\./, 'experts.#.'), tensor]));
  return [...kinds.values()];
}

function rolesOf(architecture: Architecture, { configJson, tensors }: TinyCheckpoint): ReadonlyMap<string, string> {
  const roleOf = roleClassifier(architecture, readModelConfig(configJson, architecture).layers);
  return new Map(oneOfEachKind(tensors).map(({ name, shape }) => [name, JSON.stringify(roleOf(name, shape)) ?? '']));
}

function numbersOf(architecture: Architecture, { configJson, tensors }: TinyCheckpoint): Omit<Effect, 'roles'> {
  const config = readModelConfig(configJson, architecture);
  const { fused } = architecture.experts;
  const stored = tensors.some(
    ({ shape, name }) => shape.length > 2 && shape[0] === config.experts && !/conv/.test(name),
  );
  return {
    config: usedConfig(config),
    rest: {
      norm: architecture.norm,
      layerOrder: architecture.layerOrder,
      dense: architecture.dense !== null && config.layerPlans.some(({ dense }) => dense),
      gated: architecture.shared?.gated ?? false,
      fused: stored ? { orientation: fused?.orientation, interleaved: fused?.interleaved } : null,
      nextToken: config.nextTokenLayers === 0 ? null : architecture.nextTokenLayers?.place,
    },
  };
}

export function effectOf(architecture: Architecture, checkpoint: TinyCheckpoint): Effect {
  return { ...numbersOf(architecture, checkpoint), roles: rolesOf(architecture, checkpoint) };
}

function inRow(field: string, proposal: Proposal, row: Architecture): string {
  const [, index = '', rest = ''] = /^mixers\.(\d+)\.(.*)$/.exec(field) ?? [];
  if (rest === '') return field;
  const kind = proposal.descriptor.mixers[Number(index)]?.mixer.kind;
  return `mixers.${row.mixers.findIndex(({ mixer }) => mixer.kind === kind)}.${rest}`;
}

/** Puts one line into a descriptor; false where it has no such line and says the same with another. */
function putLine(target: Architecture, field: string, value: unknown): boolean {
  const names = field.split('.');
  const last = names.pop() ?? '';
  let at: unknown = target;
  for (const name of names) at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined;
  return typeof at === 'object' && at !== null && Reflect.set(at, last, structuredClone(value));
}

export interface LineCheck {
  /** Lines that were held against the row one by one. */
  readonly checked: number;
  /** Lines not marked uncertain that, put into the hand-written row alone, change what it comes to. */
  readonly wrong: readonly string[];
}

/** Holds every line that the inspector is sure of against the hand-written row: all at once, and one by one where that fails. */
export function checkLines(checkpoint: TinyCheckpoint, proposal: Proposal): LineCheck {
  const { row } = checkpoint;
  const effect = (architecture: Architecture): string => JSON.stringify(asPlain(effectOf(architecture, checkpoint)));
  // Which mixer comes first is theirs to choose: the whole is compared by its effect.
  const sure = proposal.findings
    .filter(({ field, confidence }) => confidence !== 'uncertain' && !/^mixers\.\d+\.layers$/.test(field))
    .map(({ field, value }) => ({ field: inRow(field, proposal, row), value }));
  const together = structuredClone(row);
  const checked = sure.filter(({ field, value }) => putLine(together, field, value));
  if (effect(together) === effect(row)) return { checked: checked.length, wrong: [] };
  const wrong = checked.filter(({ field, value }) => {
    const alone = structuredClone(row);
    putLine(alone, field, value);
    return effect(alone) !== effect(row);
  });
  return { checked: checked.length, wrong: wrong.map(({ field }) => field) };
}

/** An effect without maps, for comparing. */
export function asPlain({ roles, ...effect }: Effect): unknown {
  return { ...effect, roles: [...roles] };
}

/** The proposal for a checkpoint whose own row is unknown. */
export function inspectWithoutRow({ configJson, tensors, row }: TinyCheckpoint, lineHabits = true): Proposal {
  return inspect({ configJson, tensors, lineHabits, knownRows: architectures.all().filter((other) => other !== row) });
}
