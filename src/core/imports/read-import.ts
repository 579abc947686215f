import { isJsonObject } from '../base/json.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { CheckpointSummary } from '../checkpoint/summary.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { hashText } from '../saliency/hash-text.ts';
import type { CalibrationStatistics } from '../saliency/statistics-file.ts';
import { isReport, readReport } from './compressor-report.ts';
import { isExpertStats, readExpertStats } from './expert-stats.ts';
import { readObserver } from './observer.ts';
import { invalidImport, unknownImport } from './refusals.ts';
import { isRetained, readRetained } from './retained-experts.ts';
import { toPlan } from './to-plan.ts';
import { toStatistics } from './to-statistics.ts';

/** What a file of another tool came to, with what was understood and what is missing, a sentence each. */
export type Imported = { readonly notes: readonly string[] } & (
  | { readonly kind: 'statistics'; readonly statistics: CalibrationStatistics }
  | { readonly kind: 'plan'; readonly plan: PruningPlan }
);

/** Files of statistics have some megabytes; a text beyond this is none. */
const MOST_JSON_BYTES = 256 * 2 ** 20;

/** True for names that files of torch.save bear. */
export function isTorchFileName(name: string): boolean {
  return /\.(pt|pth)$/i.test(name);
}

/** True for parsed JSON of a form that can be imported. */
export function isImportable(value: unknown): boolean {
  return (isJsonObject(value) && (isExpertStats(value) || isReport(value))) || isRetained(value);
}

/**
 * Reads what another tool left and holds it against the model: an observer file of the reference, expert_stats.json of
 * llama-expert-profile, a report or the retained experts of llm-compressor.
 *
 * @throws StudioError plan/unknown-import, plan/invalid-import, plan/other-model and as checkPlanFits; and of family
 *   calibration for torch files (core/pickle) and counts that do not add up.
 */
export async function readImport(source: ByteSource, summary: CheckpointSummary): Promise<Imported> {
  if (isTorchFileName(source.name)) {
    const foreign = await readObserver(source);
    return {
      kind: 'statistics',
      ...toStatistics(await fileOf(source, JSON.stringify(plainOf(foreign.layers))), foreign, summary),
    };
  }
  const text = await readText(source);
  const value = parse(source.name, text);
  if (isRetained(value)) return { kind: 'plan', ...toPlan(source.name, readRetained(source.name, value), summary) };
  if (!isJsonObject(value) || !isImportable(value)) throw unknownImport(source.name, 'has none of the known forms');
  const foreign = isReport(value)
    ? readReport(
        source.name,
        value,
        summary.moeLayers.map(({ topK }) => topK),
      )
    : readExpertStats(source.name, value);
  return { kind: 'statistics', ...toStatistics(await fileOf(source, text), foreign, summary) };
}

async function fileOf({ name }: ByteSource, content: string): Promise<{ name: string; hash: string }> {
  return { name, hash: await hashText(content) };
}

/** The numbers that were read: a torch file can hold gigabytes besides them, and need not be read for its hash. */
function plainOf(layers: Awaited<ReturnType<typeof readObserver>>['layers']): unknown {
  return layers.map(({ number, tokens, sums }) => [
    number,
    tokens,
    [...sums].map(([field, values]) => [field, [...values]]),
  ]);
}

async function readText(source: ByteSource): Promise<string> {
  if (source.size > MOST_JSON_BYTES) throw unknownImport(source.name, `has ${source.size} bytes`);
  const bytes = await source.read(0, source.size);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unknownImport(source.name, 'is no text in UTF-8');
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidImport(file, 'is not JSON, or was cut off');
  }
}
