import type { PartName } from '../architectures/tensor-parts.ts';
import type { Mixer } from '../checkpoint/mixer-config.ts';
import { inputName } from '../onnx/layer-inputs.ts';
import type { OutsideMixer } from './outside-kernels.ts';

export interface Projection {
  readonly part: PartName;
  readonly rows: number;
  readonly bias: boolean;
}

const HOST_PARTS: ReadonlySet<PartName> = new Set<PartName>([
  'delta-convolution',
  'delta-time-bias',
  'delta-decay',
  'delta-norm',
  'convolution',
  'scan-convolution',
  'scan-time-bias',
  'scan-decay',
  'scan-skip',
  'scan-norm',
]);

/** Whether a part's numbers stay on the host. */
export function isOutsideParameter(part: PartName): boolean {
  return HOST_PARTS.has(part);
}

export function isOutside(mixer: Mixer): mixer is OutsideMixer {
  return mixer.kind !== 'grouped-query' && mixer.kind !== 'latent';
}

/** The projections in front of a mixer, with their rows; none for attention, which has them in its graph. */
export function outsideProjections(mixer: Mixer, hidden: number): readonly Projection[] {
  switch (mixer.kind) {
    case 'gated-delta-net': {
      const keys = mixer.keyHeads * mixer.keyDim;
      const values = mixer.valueHeads * mixer.valueDim;
      const joint = [
        { part: 'delta-qkvz', rows: 2 * keys + 2 * values, bias: false },
        { part: 'delta-ba', rows: 2 * mixer.valueHeads, bias: false },
      ] as const;
      const separate = [
        { part: 'delta-qkv', rows: 2 * keys + values, bias: false },
        { part: 'delta-z', rows: values, bias: false },
        { part: 'delta-b', rows: mixer.valueHeads, bias: false },
        { part: 'delta-a', rows: mixer.valueHeads, bias: false },
      ] as const;
      return mixer.projections === 'joint' ? joint : separate;
    }
    case 'short-convolution':
      return [{ part: 'convolution-in', rows: 3 * hidden, bias: mixer.bias }];
    case 'selective-scan': {
      const inner = mixer.heads * mixer.headDim;
      const rows = 2 * inner + 2 * mixer.groups * mixer.state + mixer.heads;
      return [{ part: 'scan-in', rows, bias: mixer.projectionBias }];
    }
    default:
      return [];
  }
}

/** What the graph after the mixer takes. */
export function mixerOutput(mixer: OutsideMixer, hidden: number): { part: PartName; width: number; bias: boolean } {
  switch (mixer.kind) {
    case 'gated-delta-net':
      return { part: 'delta-output', width: mixer.valueHeads * mixer.valueDim, bias: false };
    case 'short-convolution':
      return { part: 'convolution-out', width: hidden, bias: mixer.bias };
    case 'selective-scan':
      return { part: 'scan-out', width: mixer.heads * mixer.headDim, bias: mixer.projectionBias };
  }
}

/** Whether a graph input belongs to the projections in front of the mixer. */
export function isProjectionInput(mixer: Mixer | undefined, name: string): boolean {
  if (mixer === undefined || !isOutside(mixer)) return false;
  const names = outsideProjections(mixer, 0).flatMap(({ part }) => [inputName(part), inputName(part, true)]);
  return [...names, inputName('input-norm'), inputName('input-norm', true)].includes(name);
}
