import { summariseCheckpoint } from '../../core/checkpoint/summarise.ts';
import { mergeStatistics } from '../../core/saliency/merge-statistics.ts';
import { serialiseStatistics } from '../../core/saliency/statistics-file.ts';
import { parseCommandLine, required, usageError } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { openModel } from '../open-model.ts';
import { readStatistics } from '../read-statistics.ts';
import { writeTextFile } from '../text-files.ts';

/** Unites statistics of disjoint texts or layers into one file; those of other tools are held against --model first. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    model: { type: 'string' },
    ...DESCRIPTOR_OPTION,
    out: { type: 'string' },
    force: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const out = required(values.out, '--out');
  if (positionals.length === 0) throw usageError('missing-argument', 'stats.json is missing.');
  const parts = [];
  const descriptor = await readDescriptor(values.descriptor);
  const summary =
    values.model === undefined ? undefined : summariseCheckpoint(await openModel(values.model, io.signal, descriptor));
  for (const path of positionals) {
    const { statistics, notes } = await readStatistics(path, summary);
    parts.push(statistics);
    for (const note of notes) io.stderr(`${path}: ${note}\n`);
  }
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
