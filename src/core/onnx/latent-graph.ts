import type { LatentMixer } from '../checkpoint/mixer-config.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { type NormSpec, normOf, project } from './layer-inputs.ts';
import { batchInputs, rotate } from './rotation.ts';
import { composedAttention } from './softmax-attention.ts';

function scaled(graph: GraphBuilder, x: string, factor: number): string {
  return factor === 1 ? x : graph.node('Mul', [x, graph.scalar(factor)]);
}

/** Queries [T, heads·(nope + rope)] by one projection or two. */
function queryRows(graph: GraphBuilder, mixer: LatentMixer, norm: NormSpec, x: string, hidden: number): string {
  const { heads, queryRank, nopeDim, ropeDim } = mixer;
  const width = heads * (nopeDim + ropeDim);
  if (queryRank === undefined)
    return scaled(graph, project(graph, x, 'query', width, hidden, false), mixer.queryFactor);
  const low = project(graph, x, 'query-down', queryRank, hidden, mixer.bias);
  const rows = project(
    graph,
    normOf(graph, norm, low, 'query-down-norm', queryRank),
    'query-up',
    width,
    queryRank,
    false,
  );
  return scaled(graph, rows, mixer.queryFactor);
}

/**
 * Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434) over x [T, H]; returns [T, heads·valueDim] before the output
 * projection. The rotated part of the keys is one for all heads, so its products broadcast. Inputs as grouped-query
 * attention's composed kernel.
 */
export function latentMixer(
  graph: GraphBuilder,
  mixer: LatentMixer,
  norm: NormSpec,
  parts: number,
  x: string,
  hidden: number,
): string {
  const { heads, keyValueRank, nopeDim, ropeDim, valueDim, rotary } = mixer;
  const batch = batchInputs(graph, ropeDim);
  const perHead = (rows: string, sizes: readonly number[]): string[] =>
    graph.split(graph.reshape(rows, [-1, heads, sizes.reduce((sum, size) => sum + size, 0)]), sizes, 2);
  // [T, heads, d] → [B, heads, 1, S, d] or, for keys, [B, heads, 1, d, S].
  const laid = (x3: string, dim: number, order: readonly number[]): string => {
    const rows = graph.node('Reshape', [graph.reshape(x3, [-1, heads * dim]), batch.shape]);
    return graph.node('Transpose', [graph.reshape(rows, [0, 0, heads, 1, dim])], { perm: order });
  };
  const asRows = [0, 2, 3, 1, 4];
  const asColumns = [0, 2, 3, 4, 1];

  const [queryStill = '', queryTurning = ''] = perHead(queryRows(graph, mixer, norm, x, hidden), [nopeDim, ropeDim]);
  const queryTurned = rotate(graph, graph.reshape(queryTurning, [-1, heads * ropeDim]), heads, rotary.style, batch);

  const down = project(graph, x, 'key-value-down', keyValueRank + ropeDim, hidden, mixer.bias);
  const [latent = '', keyTurning = ''] = graph.split(down, [keyValueRank, ropeDim], 1);
  const latentNormed = scaled(
    graph,
    normOf(graph, norm, latent, 'key-value-down-norm', keyValueRank),
    mixer.keyValueFactor,
  );
  const up = project(graph, latentNormed, 'key-value-up', heads * (nopeDim + valueDim), keyValueRank, false);
  const [keyStill = '', values = ''] = perHead(up, [nopeDim, valueDim]);
  const keyTurned = rotate(graph, keyTurning, 1, rotary.style, batch);

  const mixed = composedAttention(graph, {
    terms: [
      { queries: laid(queryStill, nopeDim, asRows), keys: laid(keyStill, nopeDim, asColumns) },
      {
        queries: graph.node('Transpose', [graph.reshape(queryTurned, [0, 0, heads, 1, ropeDim])], { perm: asRows }),
        keys: graph.node('Transpose', [graph.reshape(keyTurned, [0, 0, 1, 1, ropeDim])], { perm: asColumns }),
      },
    ],
    values: laid(values, valueDim, asRows),
    scale: mixer.scale,
    mask: graph.input('mask', 'float32', ['S', 'S']),
    sinks: undefined,
    parts,
  });
  return graph.reshape(mixed, [-1, heads * valueDim]);
}
