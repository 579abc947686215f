import { layoutExport } from '../../core/export/export-layout.ts';
import { formatBytes } from '../../core/export/format-bytes.ts';
import { type ExportResult, writeExport } from '../../core/export/write-export.ts';
import { byteSize, onePositional, parseCommandLine, required, usageError } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { withLock } from '../lock-file.ts';
import { createTargetFolder } from '../node-folder.ts';
import { NodeHashing } from '../node-hasher.ts';
import { openModel } from '../open-model.ts';
import { ProgressLine } from '../progress-line.ts';
import { readTextFile } from '../text-files.ts';

function shardBytesOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bytes = byteSize(value, '--shard-size');
  if (bytes < 1 || !Number.isSafeInteger(bytes))
    throw usageError('not-a-size', `--shard-size takes a size such as 5GB or 4GiB, not "${value}".`);
  return bytes;
}

function summary(out: string, result: ExportResult, experts: string): string {
  const resumed = result.resumedFiles > 0 ? `, ${result.resumedFiles} files from the earlier run` : '';
  return `${out}: ${result.files} files, ${formatBytes(result.bytes)}, ${experts} experts a layer${resumed}\n`;
}

/** Writes the pruned checkpoint into a new folder, or finishes one with --resume. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    ...DESCRIPTOR_OPTION,
    plan: { type: 'string' },
    out: { type: 'string' },
    'shard-size': { type: 'string' },
    resume: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const model = onePositional(positionals, 'MODEL');
  const out = required(values.out, '--out');
  const shardBytes = shardBytesOf(values['shard-size']);
  const planJson = await readTextFile(required(values.plan, '--plan'));
  const checkpoint = await openModel(model, io.signal, await readDescriptor(values.descriptor));
  const layout = await layoutExport(checkpoint, planJson, io.signal, { shardBytes });
  const target = await createTargetFolder(out);
  const hashing = new NodeHashing();
  const progress = new ProgressLine(io);
  try {
    const result = await withLock(out, () =>
      writeExport({
        checkpoint,
        layout,
        target,
        resume: values.resume,
        lockHeld: true,
        openHasher: hashing.openHasher,
        signal: io.signal,
        onProgress: ({ file, bytesDone, bytesTotal }) =>
          progress.update(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}: ${file}`),
      }),
    );
    progress.end();
    io.stdout(
      values.json
        ? `${JSON.stringify({ out, experts: layout.experts, ...result })}\n`
        : summary(out, result, `${layout.experts} of ${checkpoint.config.experts}`),
    );
    return EXIT.ok;
  } finally {
    progress.end();
    await hashing.close();
  }
}
