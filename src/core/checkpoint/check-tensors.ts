import type { Architecture } from '../architectures/descriptor.ts';
import { StudioError } from '../base/errors.ts';
import type { CheckpointTensor, Projection } from './checkpoint.ts';
import { type ExpectedTensor, expectedExperts, expectedTensors } from './expected-tensors.ts';
import { fusedShapes } from './fused-experts.ts';
import type { ModelConfig } from './model-config.ts';
import type { WeightTable } from './weight-table.ts';

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

function check(expected: ExpectedTensor, table: WeightTable): void {
  const { key, name, bias, shape } = expected;
  const weight = bias ? table.bias(key) : table.weight(key);
  if (weight === undefined) throw missing(name);
  // A correction bias may be [1, E]; a bare parameter may carry axes of length 1.
  const plain = (sizes: readonly number[]): readonly number[] =>
    shape.length === 1 ? sizes.filter((size, axis) => size !== 1 || axis === sizes.length - 1) : sizes;
  if (!sameShape(plain(weight.shape), shape)) throw mismatch(weight.name, weight.shape, shape);
}

function checkFused(table: WeightTable, architecture: Architecture, config: ModelConfig, layer: number): void {
  for (const fused of ['gate-up', 'down'] as const) {
    const key = { fused, layer };
    const weight = table.weight(key);
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
 * The tensors against what config.json implies: none of the forward pass missing, every shape as implied, no expert or
 * layer beyond the counts.
 * @throws StudioError family `checkpoint`: `missing-tensor`, `shape-mismatch`, `tensor-out-of-range`.
 */
export function checkTensors(
  architecture: Architecture,
  config: ModelConfig,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  table: WeightTable,
): void {
  for (const expected of expectedTensors(architecture, config)) check(expected, table);
  for (const [layer, { moe }] of config.layerPlans.entries()) {
    if (!moe) continue;
    if (table.isFused(layer)) checkFused(table, architecture, config, layer);
    else for (const expected of expectedExperts(architecture, config, layer)) check(expected, table);
  }
  for (const tensor of tensors.values()) checkRange(tensor, config);
  checkNextToken(tensors.values(), config);
}
