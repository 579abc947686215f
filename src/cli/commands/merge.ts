import { mergeStatistics } from '../../core/saliency/merge-statistics.ts';
import { parseStatistics, serialiseStatistics } from '../../core/saliency/statistics-file.ts';
import { parseCommandLine, required, usageError } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { readTextFile, writeTextFile } from '../text-files.ts';

/** Unites statistics of disjoint texts or layers into one file. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    out: { type: 'string' },
    force: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const out = required(values.out, '--out');
  if (positionals.length === 0) throw usageError('missing-argument', 'stats.json is missing.');
  const parts = [];
  for (const path of positionals) parts.push(parseStatistics(await readTextFile(path)));
  const merged = await mergeStatistics(parts);
  await writeTextFile(out, serialiseStatistics(merged), values.force);
  const tokens = merged.domains.reduce((sum, domain) => sum + domain.tokens, 0);
  const facts = {
    out,
    parts: parts.length,
    domains: merged.domains.map(({ name }) => name),
    tokens,
    layers: merged.layers.length,
  };
  io.stdout(
    values.json
      ? `${JSON.stringify(facts)}\n`
      : `${out}: ${facts.parts} files, ${facts.layers} layers, ${tokens} tokens of ${facts.domains.join(', ')}\n`,
  );
  return EXIT.ok;
}
