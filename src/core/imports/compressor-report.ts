import * as z from 'zod/mini';
import { type ForeignStatistics, sumsOf } from './foreign-statistics.ts';
import { issueWords } from './issue-words.ts';
import { invalidImport } from './refusals.ts';

const schema = z.object({
  saliency: z.array(z.array(z.number().check(z.nonnegative()))),
  count: z.array(z.array(z.int().check(z.nonnegative()))),
});

/** True for JSON that has the form of a saliency report. */
export function isReport(value: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(value['saliency']);
}

/**
 * Reads the report that llm-compressor's REAPPruningModifier writes: for every layer with experts, in the model's order,
 * the mean of gate × norm (`saliency`) and the tokens (`count`) of each expert, by the gate that the model multiplies with.
 *
 * @param topKs top-k of the model's layers with experts, in order: the report does not say how many tokens it saw.
 * @throws StudioError plan/invalid-import naming the field.
 */
export function readReport(file: string, value: unknown, topKs: readonly number[]): ForeignStatistics {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw invalidImport(file, issueWords(parsed.error));
  const { saliency, count } = parsed.data;
  if (saliency.length !== count.length) {
    throw invalidImport(file, `scores ${saliency.length} layers and counts ${count.length}`);
  }
  const layers = saliency.map((means, number) => {
    const counts = count[number] ?? [];
    if (counts.length !== means.length) {
      throw invalidImport(file, `scores ${means.length} experts in list ${number} and counts ${counts.length}`);
    }
    const routed = counts.reduce((sum, tokens) => sum + tokens, 0);
    return {
      number,
      tokens: routed / (topKs[number] ?? 1),
      sums: new Map([['count', Float64Array.from(counts)] as const, ['gateNormSum', sumsOf(means, counts)] as const]),
    };
  });
  return {
    tool: 'llm-compressor',
    gate: 'model',
    layers,
    lacks: ['normSum', 'gateSum', 'gateNormSquaredSum', 'maxAbs'],
    notes: [
      'The report holds REAP scores and token counts alone: metrics of plain norms, gates and activations cannot be had from it.',
      'Each layer was measured behind layers that were pruned already, as llm-compressor does; the studio measures the whole model.',
    ],
  };
}
