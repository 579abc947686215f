import type { Architecture } from '../architectures/descriptor.ts';
import type { ModelConfig } from './model-config.ts';

/** How a fused tensor [E, ·, ·] lies: `out-in` as linear layers are stored, `in-out` the other way round. */
export type FusedOrientation = 'out-in' | 'in-out';

function shapeOf(fused: 'gate-up' | 'down', config: ModelConfig, orientation: FusedOrientation): readonly number[] {
  const { experts, hiddenSize, expertWidth, activation } = config;
  const inner = fused === 'down' || activation.kind === 'relu-squared' ? expertWidth : 2 * expertWidth;
  const [out, into] = fused === 'down' ? [hiddenSize, inner] : [inner, hiddenSize];
  return orientation === 'out-in' ? [experts, out, into] : [experts, into, out];
}

/** Shapes that a fused tensor may have, the family's own first. */
export function fusedShapes(
  fused: 'gate-up' | 'down',
  config: ModelConfig,
  { experts }: Architecture,
): readonly (readonly number[])[] {
  const own = experts.fused?.orientation ?? 'out-in';
  const other = own === 'out-in' ? 'in-out' : 'out-in';
  return [shapeOf(fused, config, own), shapeOf(fused, config, other)];
}

/**
 * Orientation of a layer's fused experts: what only one orientation fits decides for both tensors, since they are always
 * of one kind; the family's own where both fit. `packed`: block formats are stored as [E, out, in] whatever the family.
 */
export function fusedOrientation(
  gateUp: readonly number[],
  down: readonly number[],
  packed: boolean,
  config: ModelConfig,
  architecture: Architecture,
): FusedOrientation {
  if (packed) return 'out-in';
  const fits = (orientation: FusedOrientation): boolean =>
    [
      [gateUp, shapeOf('gate-up', config, orientation)],
      [down, shapeOf('down', config, orientation)],
    ].every(([found, implied]) => found?.every((size, axis) => size === implied?.[axis]) === true);
  const own = architecture.experts.fused?.orientation ?? 'out-in';
  const other = own === 'out-in' ? 'in-out' : 'out-in';
  return fits(own) || !fits(other) ? own : other;
}
