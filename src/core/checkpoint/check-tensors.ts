import type { Architecture, ReadonlyJsonObject } from '../architectures/descriptor.ts';
import { StudioError } from '../base/errors.ts';
import type { CheckpointTensor } from './checkpoint.ts';
import { expectedTensors } from './expected-tensors.ts';
import type { ModelConfig } from './model-config.ts';

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * The tensors against what config.json implies: none of the forward pass missing, every shape as implied, no expert or
 * layer beyond the counts.
 * @throws StudioError family `checkpoint`: `missing-tensor`, `shape-mismatch`, `tensor-out-of-range`.
 */
export function checkTensors(
  architecture: Architecture,
  config: ModelConfig,
  json: ReadonlyJsonObject,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  moeLayers: readonly number[],
): void {
  const nextStep = 'Check that config.json belongs to these weights, and that the download is complete.';
  for (const { name, shape } of expectedTensors(architecture, config, json)) {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new StudioError('checkpoint', 'missing-tensor', `The tensor "${name}" is missing.`, {
        nextStep,
        details: { tensor: name },
      });
    }
    if (!sameShape(tensor.shape, shape)) {
      throw new StudioError(
        'checkpoint',
        'shape-mismatch',
        `The tensor "${name}" has the shape [${tensor.shape.join(', ')}], but config.json implies [${shape.join(', ')}].`,
        {
          nextStep,
          details: { tensor: name, file: tensor.file },
        },
      );
    }
  }
  const moe = new Set(moeLayers);
  for (const { name, role } of tensors.values()) {
    if (role.kind !== 'expert' && role.kind !== 'router' && role.kind !== 'layer') continue;
    const routed = role.kind !== 'layer';
    const beyond =
      role.layer >= config.layers ||
      (routed && !moe.has(role.layer)) ||
      (role.kind === 'expert' && role.expert >= config.experts);
    if (beyond) {
      throw new StudioError(
        'checkpoint',
        'tensor-out-of-range',
        `The tensor "${name}" lies outside the ${config.layers} layers of ${config.experts} experts that config.json describes.`,
        {
          nextStep,
          details: { tensor: name, layer: role.layer },
        },
      );
    }
  }
}
