import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readWeights } from '../checkpoint/read-weights.ts';
import { tensorName } from '../checkpoint/tensor-roles.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';
import type { LayerGraphs } from './layer-graphs.ts';
import type { TokenBlock } from './token-blocks.ts';

/** Weights of a layer's first half as graph inputs. */
export type AttentionWeights = Readonly<Record<string, BackendTensor>>;

/** What a layer's first half leaves for its second: rows as in the block. */
export interface AttentionResult {
  /** [T, H] residual stream after attention; the experts' outputs are added into it. */
  readonly hidden: BackendTensor;
  /** [T, H] input of the router and the experts. */
  readonly normed: BackendTensor;
  /** [T, E] on the host, or undefined in a dense layer. */
  readonly logits: Float32Array<ArrayBuffer> | undefined;
}

/** Graph input → tensor name, for one layer. */
function attentionTensorNames(checkpoint: Checkpoint, layer: number, withRouter: boolean): Map<string, string> {
  const { architecture, config } = checkpoint;
  const { tensors } = architecture;
  const names = new Map([
    ['input_norm', tensorName(tensors.inputNorm, layer)],
    ['post_attention_norm', tensorName(tensors.postAttentionNorm, layer)],
  ]);
  for (const part of ['query', 'key', 'value', 'output'] as const) {
    names.set(part, `${tensorName(tensors[part], layer)}.weight`);
    if (config.attention.bias) names.set(`${part}_bias`, `${tensorName(tensors[part], layer)}.bias`);
  }
  if (architecture.attention.queryKeyNorm === 'per-head') {
    names.set('query_norm', tensorName(tensors.queryNorm, layer));
    names.set('key_norm', tensorName(tensors.keyNorm, layer));
  }
  if (withRouter) names.set('router', tensorName(tensors.router, layer));
  return names;
}

/** Reads and uploads what a layer's first half needs. The caller disposes of the tensors. */
export async function loadAttentionWeights(
  backend: InferenceBackend,
  checkpoint: Checkpoint,
  layer: number,
  withRouter: boolean,
  signal?: AbortSignal,
): Promise<AttentionWeights> {
  const names = attentionTensorNames(checkpoint, layer, withRouter);
  const weights = await readWeights(checkpoint, [...names.values()], signal);
  const inputs: Record<string, BackendTensor> = {};
  for (const [input, name] of names) {
    const weight = weights.get(name);
    if (weight === undefined) continue;
    const stacked = await backend.uploadWeights([weight]);
    inputs[input] = backend.view(stacked, weight.shape);
  }
  return inputs;
}

/** Runs a layer's first half over one block, a batch of equally long sequences at a time. */
export async function runAttention(
  backend: InferenceBackend,
  graphs: LayerGraphs,
  weights: AttentionWeights,
  block: TokenBlock,
  hidden: Float32Array<ArrayBuffer>,
  experts: number,
  afterBatch: (tokens: number) => Promise<void>,
): Promise<AttentionResult> {
  const width = hidden.length / block.tokens;
  const withRouter = experts > 0;
  const before = backend.upload('float32', hidden, [block.tokens, width]);
  const after = backend.zeros([block.tokens, width]);
  const normed = backend.zeros([block.tokens, width]);
  const logits = withRouter ? new Float32Array(block.tokens * experts) : undefined;
  for (const { start, count, length } of block.batches) {
    const scoreBytes = count * graphs.heads * length * length * Float32Array.BYTES_PER_ELEMENT;
    const kernel = scoreBytes <= backend.limits.composedAttentionBytes ? 'composed' : 'fused';
    const graph = await graphs.attention(withRouter, kernel);
    const shared = {
      hidden: backend.rows(before, start, count * length, [count, length, width]),
      batch_shape: backend.upload('int64', BigInt64Array.from([BigInt(count), BigInt(length), -1n]), [3]),
      ...(kernel === 'fused'
        ? {
            last: backend.upload('int32', new Int32Array(count).fill(length - 1), [count]),
            length: backend.upload('int32', Int32Array.from([length]), [1]),
          }
        : { first: backend.upload('int64', BigInt64Array.of(0n), [1]) }),
    };
    const mask = kernel === 'composed' ? { mask: graphs.causalMask(length) } : {};
    const inputs = { ...weights, ...shared, ...mask, cos: graphs.cos, sin: graphs.sin };
    const outputs = withRouter ? (['hidden_out', 'normed', 'logits'] as const) : (['hidden_out', 'normed'] as const);
    const result: Partial<Record<'hidden_out' | 'normed' | 'logits', BackendTensor>> = await graph.run(inputs, outputs);
    for (const tensor of Object.values(shared)) tensor.dispose();
    if (result.hidden_out !== undefined) backend.writeRows(after, start, result.hidden_out);
    if (result.normed !== undefined) backend.writeRows(normed, start, result.normed);
    if (result.logits !== undefined) logits?.set(await backend.read(result.logits), start * experts);
    for (const tensor of Object.values(result)) tensor.dispose();
    await afterBatch(count * length);
  }
  before.dispose();
  return { hidden: after, normed, logits };
}
