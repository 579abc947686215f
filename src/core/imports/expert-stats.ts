import * as z from 'zod/mini';
import { type ForeignStatistics, sumsOf } from './foreign-statistics.ts';
import { issueWords } from './issue-words.ts';
import { invalidImport } from './refusals.ts';

const counts = z.array(z.int().check(z.nonnegative()));
const means = z.array(z.number().check(z.nonnegative()));

const schema = z.record(
  z.string().check(z.regex(/^(0|[1-9]\d{0,5})$/)),
  z.object({
    total_tokens: z.int().check(z.nonnegative()),
    activation_counts: counts,
    avg_gate_weight: means,
    ean_mean: means,
    reap: means,
  }),
);

/** True for JSON that has the form of expert_stats.json: layer number → an object with counts or scores. */
export function isExpertStats(value: Readonly<Record<string, unknown>>): boolean {
  const entries = Object.entries(value);
  return (
    entries.length > 0 &&
    entries.every(
      ([key, layer]) =>
        /^\d+$/.test(key) && typeof layer === 'object' && layer !== null && Object.hasOwn(layer, 'activation_counts'),
    )
  );
}

/**
 * Reads expert_stats.json of llama-expert-profile (llama.cpp, pull request 20454): per layer of the model, counts and
 * means over the tokens routed to each expert, printed to six digits. Its gates are the router's probabilities of the
 * chosen experts before they are divided by their sum.
 *
 * @throws StudioError plan/invalid-import naming the field.
 */
export function readExpertStats(file: string, value: unknown): ForeignStatistics {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw invalidImport(file, issueWords(parsed.error));
  const layers = Object.entries(parsed.data).map(([number, layer]) => {
    const experts = layer.activation_counts.length;
    for (const key of ['avg_gate_weight', 'ean_mean', 'reap'] as const) {
      if (layer[key].length !== experts)
        throw invalidImport(
          file,
          `holds ${layer[key].length} numbers in "${key}" of layer ${number}, and ${experts} counts`,
        );
    }
    const count = Float64Array.from(layer.activation_counts);
    return {
      number: Number(number),
      tokens: layer.total_tokens,
      sums: new Map([
        ['count', count] as const,
        ['normSum', sumsOf(layer.ean_mean, count)] as const,
        ['gateSum', sumsOf(layer.avg_gate_weight, count)] as const,
        ['gateNormSum', sumsOf(layer.reap, count)] as const,
      ]),
    };
  });
  return {
    tool: 'llama-expert-profile',
    gate: 'model',
    layers,
    lacks: ['gateNormSquaredSum', 'maxAbs'],
    notes: [
      'It holds no largest activations: neither that metric nor super experts can be had from it.',
      'Its gates are not divided by their sum, come from a quantised model, and are printed to six digits.',
    ],
  };
}
