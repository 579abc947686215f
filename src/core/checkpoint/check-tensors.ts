import type { Architecture } from '../architectures/descriptor.ts';
import { isStudioError, StudioError } from '../base/errors.ts';
import type { CheckpointTensor, Projection } from './checkpoint.ts';
import { type ExpectedTensor, expectedExperts, expectedTensors } from './expected-tensors.ts';
import { fusedShapes } from './fused-experts.ts';
import type { ModelConfig } from './model-config.ts';
import { keyOf, keyText, type WeightKey, type WeightTable } from './weight-table.ts';

const NEXT_STEP = 'Check that config.json belongs to these weights, and that the download is complete.';

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function missing(name: string): StudioError {
  return new StudioError('checkpoint', 'missing-tensor', `The tensor "${name}" is missing.`, {
    nextStep: NEXT_STEP,
    details: { tensor: name },
  });
}

function mismatch(name: string, shape: readonly number[], implied: readonly number[]): StudioError {
  return new StudioError(
    'checkpoint',
    'shape-mismatch',
    `The tensor "${name}" has the shape [${shape.join(', ')}], but config.json implies [${implied.join(', ')}].`,
    { nextStep: NEXT_STEP, details: { tensor: name } },
  );
}

/** A weight in a format that cannot be decoded is there all the same: it can be exported, and calibrating it is refused by name. */
function storedOf(
  table: WeightTable,
  key: WeightKey,
  bias: boolean,
): ReturnType<WeightTable['weight']> | 'undecodable' {
  try {
    return bias ? table.bias(key) : table.weight(key);
  } catch (error) {
    if (isStudioError(error, 'checkpoint') && error.code === 'unsupported-quantisation') return 'undecodable';
    throw error;
  }
}

function check(expected: ExpectedTensor, table: WeightTable): void {
  const { key, name, bias, shape } = expected;
  const weight = storedOf(table, key, bias);
  if (weight === 'undecodable') return;
  if (weight === undefined) throw missing(name);
  // A correction bias may be [1, E]; a bare parameter may carry axes of length 1.
  const plain = (sizes: readonly number[]): readonly number[] =>
    shape.length === 1 ? sizes.filter((size, axis) => size !== 1 || axis === sizes.length - 1) : sizes;
  if (!sameShape(plain(weight.shape), shape)) throw mismatch(weight.name, weight.shape, shape);
}

function checkFused(table: WeightTable, architecture: Architecture, config: ModelConfig, layer: number): void {
  for (const fused of ['gate-up', 'down'] as const) {
    const key = { fused, layer };
    const weight = storedOf(table, key, false);
    if (weight === 'undecodable') continue;
    if (weight === undefined) throw missing(`${fused} of the fused experts of layer ${layer}`);
    const allowed = fusedShapes(fused, config, architecture);
    if (!allowed.some((shape) => sameShape(shape, weight.shape))) {
      throw mismatch(weight.name, weight.shape, allowed[0] ?? []);
    }
  }
}

function outside(name: string, layer: number, config: ModelConfig): StudioError {
  return new StudioError(
    'checkpoint',
    'tensor-out-of-range',
    `The tensor "${name}" lies outside the ${config.layers} layers of ${config.experts} experts that config.json describes.`,
    { nextStep: NEXT_STEP, details: { tensor: name, layer } },
  );
}

function checkRange({ name, role }: CheckpointTensor, config: ModelConfig): void {
  if (!('layer' in role) || role.layer === undefined || role.nextToken) return;
  const plan = config.layerPlans[role.layer];
  const routed = role.kind === 'expert' || role.kind === 'router' || role.kind === 'fused-experts';
  // Some savers write unused weights for experts that return their input.
  const beyond = role.kind === 'expert' && role.expert >= config.experts + config.router.identityExperts;
  if (plan === undefined || (routed && !plan.moe) || beyond) throw outside(name, role.layer, config);
}

/** Experts of layers that predict further tokens: each has as many as the model's own layers, or the plan cannot hold. */
function checkNextToken(tensors: Iterable<CheckpointTensor>, config: ModelConfig): void {
  const seen = new Map<string, Set<number>>();
  for (const { name, role } of tensors) {
    if (!role.nextToken || role.kind !== 'expert') continue;
    if (role.expert >= config.experts) throw outside(name, role.layer, config);
    const key = `${role.layer} ${role.projection satisfies Projection} ${role.suffix}`;
    const experts = seen.get(key) ?? new Set();
    experts.add(role.expert);
    seen.set(key, experts);
  }
  for (const [key, experts] of seen) {
    if (experts.size === config.experts) continue;
    throw missing(`an expert of the further-token layer ${key.split(' ')[0] ?? ''}`);
  }
}

/**
 * Tensors of the forward pass that config.json does not switch on would go unread, and the numbers be wrong without a word:
 * norms of queries and keys, shared experts, biases. Quantisers leave biases of zeros behind, so those of a quantised model may stay.
 */
function checkUnread(
  tensors: Iterable<CheckpointTensor>,
  wanted: ReadonlySet<string>,
  config: ModelConfig,
  table: WeightTable,
  quantised: boolean,
): void {
  for (const tensor of tensors) {
    const { role, name } = tensor;
    if (role.nextToken || role.kind === 'ignored' || role.kind === 'fused-experts') continue;
    const key = keyOf(tensor);
    if (key === undefined) continue;
    const bias = role.suffix === 'bias';
    const free =
      (bias && (quantised || (role.kind === 'router' && role.part === 'router') || isHead(role))) ||
      (isHead(role) && config.tiedEmbeddings) ||
      (role.kind === 'expert' && (role.expert >= config.experts || table.isFused(role.layer)));
    if (free || wanted.has(`${keyText(key)}${bias ? ' bias' : ''}`)) continue;
    throw new StudioError(
      'checkpoint',
      'unread-tensor',
      `The checkpoint holds "${name}", but by config.json the model does not use it.`,
      {
        nextStep:
          'Check config.json (or the descriptor) for the switch that turns this part on; with it unread, every figure would be wrong.',
        details: { tensor: name },
      },
    );
  }
}

function isHead(role: CheckpointTensor['role']): boolean {
  return role.kind === 'part' && role.part === 'head';
}

/**
 * The tensors against what config.json implies: none of the forward pass missing, every shape as implied, no expert or
 * layer beyond the counts.
 * @throws StudioError family `checkpoint`: `missing-tensor`, `shape-mismatch`, `tensor-out-of-range`, `unread-tensor`.
 */
export function checkTensors(
  architecture: Architecture,
  config: ModelConfig,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  table: WeightTable,
  quantised: boolean,
): void {
  const wanted = new Set<string>();
  const see = (expected: ExpectedTensor): void => {
    check(expected, table);
    wanted.add(`${keyText(expected.key)}${expected.bias ? ' bias' : ''}`);
  };
  for (const expected of expectedTensors(architecture, config)) see(expected);
  for (const [layer, { moe }] of config.layerPlans.entries()) {
    if (!moe) continue;
    if (table.isFused(layer)) checkFused(table, architecture, config, layer);
    else for (const expected of expectedExperts(architecture, config, layer)) see(expected);
  }
  for (const tensor of tensors.values()) checkRange(tensor, config);
  checkNextToken(tensors.values(), config);
  checkUnread(tensors.values(), wanted, config, table, quantised);
}
