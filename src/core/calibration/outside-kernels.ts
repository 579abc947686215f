import type { PartName } from '../architectures/tensor-parts.ts';
import type { ConvolutionMixer, DeltaNetMixer, ScanMixer } from '../checkpoint/mixer-config.ts';
import { inputName } from '../onnx/layer-inputs.ts';
import { type DeltaNetRows, gatedDeltaNet } from '../recurrence/gated-delta-net.ts';
import { mamba2Mixer } from '../recurrence/mamba2-mixer.ts';
import { splitQkvz } from '../recurrence/qkvz-layout.ts';
import { shortConvolution } from '../recurrence/short-convolution.ts';

/** Mixers whose state runs along the sequence are computed by plain loops on the host, between two graphs. */
export type OutsideMixer = DeltaNetMixer | ConvolutionMixer | ScanMixer;

export type Rows = Readonly<Partial<Record<PartName, Float32Array<ArrayBuffer>>>>;
/** A layer's parameters as f32, by graph input. */
type HostWeights = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

function weightOf(weights: HostWeights, part: PartName): Float32Array<ArrayBuffer> {
  const weight = weights.get(inputName(part));
  if (weight === undefined) throw new RangeError(`the layer has no "${part}"`);
  return weight;
}

function rowsOf(rows: Rows, part: PartName): Float32Array<ArrayBuffer> {
  return rows[part] ?? new Float32Array();
}

function deltaRows(mixer: DeltaNetMixer, rows: Rows): DeltaNetRows {
  if (mixer.projections === 'joint') return splitQkvz(mixer, rowsOf(rows, 'delta-qkvz'), rowsOf(rows, 'delta-ba'));
  return {
    qkv: rowsOf(rows, 'delta-qkv'),
    z: rowsOf(rows, 'delta-z'),
    b: rowsOf(rows, 'delta-b'),
    a: rowsOf(rows, 'delta-a'),
  };
}

/** One sequence through a mixer: from its projected rows to the rows [T, width] of the output projection. */
export function mixSequence(
  mixer: OutsideMixer,
  rows: Rows,
  weights: HostWeights,
  epsilon: number,
  hidden: number,
): Float32Array<ArrayBuffer> {
  switch (mixer.kind) {
    case 'gated-delta-net': {
      const parameters = {
        convolution: weightOf(weights, 'delta-convolution'),
        decay: weightOf(weights, 'delta-decay'),
        timeBias: weightOf(weights, 'delta-time-bias'),
        norm: weightOf(weights, 'delta-norm'),
        epsilon,
      };
      return gatedDeltaNet(mixer, parameters, deltaRows(mixer, rows));
    }
    case 'short-convolution': {
      const parameters = {
        convolution: weightOf(weights, 'convolution'),
        convolutionBias: weights.get(inputName('convolution', true)),
      };
      return shortConvolution(hidden, parameters, rowsOf(rows, 'convolution-in'));
    }
    case 'selective-scan': {
      const parameters = {
        convolution: weightOf(weights, 'scan-convolution'),
        convolutionBias: weights.get(inputName('scan-convolution', true)),
        timeBias: weightOf(weights, 'scan-time-bias'),
        decay: weightOf(weights, 'scan-decay'),
        skip: weightOf(weights, 'scan-skip'),
        norm: weightOf(weights, 'scan-norm'),
        epsilon,
      };
      return mamba2Mixer(mixer, parameters, rowsOf(rows, 'scan-in'));
    }
  }
}
