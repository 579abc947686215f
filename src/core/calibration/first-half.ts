import type { Mixer } from '../checkpoint/mixer-config.ts';
import { fusedFits } from '../onnx/grouped-query-graph.ts';
import type { AttentionKernel } from '../onnx/softmax-attention.ts';
import type { BackendLimits, BackendTensor, InferenceBackend } from './inference-backend.ts';
import type { LayerGraphs } from './layer-graphs.ts';
import type { StepWeights } from './layer-weights.ts';
import { runOutside } from './outside-mixer.ts';
import { isProjectionInput } from './outside-projections.ts';
import type { SequenceBatch, TokenBlock } from './token-blocks.ts';

const FLOAT_BYTES = 4;

/** What the first half of a step leaves for its second: rows as in the block. */
export interface FirstHalf {
  /** [T, H] residual stream after the mixer; the MLPs' outputs are added into it. */
  readonly hidden: BackendTensor;
  /** [T, H] input of router and MLPs; undefined where the layer has no second half. */
  readonly normed: BackendTensor | undefined;
  /** [T, rows] on the host, or undefined without a router. */
  readonly logits: Float32Array<ArrayBuffer> | undefined;
  /** [T] before the sigmoid, or undefined without a gated shared expert. */
  readonly sharedGate: Float32Array<ArrayBuffer> | undefined;
}

export interface FirstHalfRun {
  readonly backend: InferenceBackend;
  readonly limits: BackendLimits;
  readonly graphs: LayerGraphs;
  readonly weights: StepWeights;
  readonly block: TokenBlock;
  readonly layer: number;
  readonly step: number;
  readonly mixer: Mixer | undefined;
  /** Rows of the router, 0 without one. */
  readonly routerRows: number;
  readonly sharedGate: boolean;
  readonly feedForward: boolean;
  readonly afterBatch: (tokens: number) => Promise<void>;
}

/** The kernel for a batch: fused where the backend is faster with it, else as many parts as keep the scores small. */
function kernelFor(mixer: Mixer | undefined, { count, length }: SequenceBatch, limits: BackendLimits): AttentionKernel {
  if (mixer?.kind !== 'grouped-query' && mixer?.kind !== 'latent') return { kind: 'composed', parts: 1 };
  const scores = count * mixer.heads * length * length * FLOAT_BYTES;
  const fused = limits.fusedAttention && mixer.kind === 'grouped-query' && fusedFits(mixer, length);
  if (fused) return { kind: 'fused' };
  // Equal parts of whole rows, none of them empty: onnxruntime's Split refuses an empty one.
  const rows = Math.ceil(length / Math.min(length, Math.ceil(scores / limits.scoreBytes)));
  return { kind: 'composed', parts: Math.ceil(length / rows) };
}

/** Graph inputs of a batch beside the weights; those of the second record are the run's to dispose of. */
function attentionInputs(
  { backend, graphs, mixer }: FirstHalfRun,
  { count, length }: SequenceBatch,
  kernel: AttentionKernel,
): [kept: Record<string, BackendTensor>, own: Record<string, BackendTensor>] {
  if (mixer?.kind !== 'grouped-query' && mixer?.kind !== 'latent') return [{}, {}];
  const window = mixer.kind === 'grouped-query' ? mixer.window : undefined;
  const chunk = mixer.kind === 'grouped-query' ? mixer.chunk : undefined;
  const temperature = mixer.kind === 'grouped-query' ? mixer.temperature : undefined;
  const kept = {
    ...(mixer.rotary === undefined ? {} : graphs.rotary(mixer.rotary, length)),
    ...(temperature === undefined ? {} : { temperature: graphs.temperature(temperature, length) }),
    ...(kernel.kind === 'composed' ? { mask: graphs.mask(length, window, chunk) } : {}),
  };
  const own = {
    batch_shape: backend.upload('int64', BigInt64Array.from([BigInt(count), BigInt(length), -1n]), [3]),
    ...(mixer.rotary === undefined ? {} : { first: backend.upload('int64', BigInt64Array.of(0n), [1]) }),
    ...(kernel.kind === 'fused'
      ? {
          last: backend.upload('int32', new Int32Array(count).fill(length - 1), [count]),
          length: backend.upload('int32', Int32Array.from([length]), [1]),
        }
      : {}),
  };
  return [kept, own];
}

/** Runs a step's first half over one block, a batch of equally long sequences at a time. @param hidden [T, H] */
export async function runFirstHalf(run: FirstHalfRun, hidden: Float32Array<ArrayBuffer>): Promise<FirstHalf> {
  const { backend, graphs, weights, block, mixer } = run;
  const width = hidden.length / block.tokens;
  const before = backend.upload('float32', hidden, [block.tokens, width]);
  const after = mixer === undefined ? before : backend.zeros([block.tokens, width]);
  const normed = run.feedForward ? backend.zeros([block.tokens, width]) : undefined;
  const logits = run.routerRows > 0 ? new Float32Array(block.tokens * run.routerRows) : undefined;
  const sharedGate = run.sharedGate ? new Float32Array(block.tokens) : undefined;
  const outputs = [
    ...(mixer === undefined ? [] : ['hidden_out']),
    ...(normed === undefined ? [] : ['normed']),
    ...(logits === undefined ? [] : ['logits']),
    ...(sharedGate === undefined ? [] : ['shared_gate']),
  ];
  const tailWeights = Object.fromEntries(
    Object.entries(weights.inputs).filter(([name]) => !isProjectionInput(mixer, name)),
  );
  for (const batch of block.batches) {
    const { start, count, length } = batch;
    const kernel = kernelFor(mixer, batch, run.limits);
    const rows = backend.rows(before, start, count * length, [count * length, width]);
    const [kept, own] = attentionInputs(run, batch, kernel);
    const mixed = mixer === undefined ? undefined : await runOutside({ backend, graphs, weights, mixer, batch, rows });
    const graph = await graphs.firstHalf(run.layer, run.step, kernel);
    const inputs = { ...tailWeights, ...kept, ...own, hidden: rows, ...(mixed === undefined ? {} : { mixed }) };
    const result: Partial<Record<string, BackendTensor>> = await graph.run(inputs, outputs);
    for (const tensor of Object.values(own)) tensor.dispose();
    rows.dispose();
    mixed?.dispose();
    if (result['hidden_out'] !== undefined) backend.writeRows(after, start, result['hidden_out']);
    if (result['normed'] !== undefined && normed !== undefined) backend.writeRows(normed, start, result['normed']);
    if (result['logits'] !== undefined) logits?.set(await backend.read(result['logits']), start * run.routerRows);
    if (result['shared_gate'] !== undefined) sharedGate?.set(await backend.read(result['shared_gate']), start);
    for (const tensor of Object.values(result)) tensor?.dispose();
    await run.afterBatch(count * length);
  }
  if (after !== before) before.dispose();
  return { hidden: after, normed, logits, sharedGate };
}
