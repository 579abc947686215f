import { layoutExport } from '../../core/export/export-layout.ts';
import { formatBytes } from '../../core/export/format-bytes.ts';
import { writeExport } from '../../core/export/write-export.ts';
import { onePositional, parseCommandLine, required } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { createTargetFolder } from '../node-folder.ts';
import { openModel } from '../open-model.ts';
import { ProgressLine } from '../progress-line.ts';
import { readTextFile } from '../text-files.ts';

/** Writes the pruned checkpoint into a new folder, or finishes one with --resume. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    ...DESCRIPTOR_OPTION,
    plan: { type: 'string' },
    out: { type: 'string' },
    resume: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const model = onePositional(positionals, 'MODEL');
  const out = required(values.out, '--out');
  const planJson = await readTextFile(required(values.plan, '--plan'));
  const checkpoint = await openModel(model, io.signal, await readDescriptor(values.descriptor));
  const layout = await layoutExport(checkpoint, planJson, io.signal);
  const progress = new ProgressLine(io);
  try {
    const result = await writeExport({
      checkpoint,
      layout,
      target: await createTargetFolder(out),
      resume: values.resume,
      signal: io.signal,
      onProgress: ({ file, bytesDone, bytesTotal }) =>
        progress.update(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}: ${file}`),
    });
    progress.end();
    io.stdout(
      values.json
        ? `${JSON.stringify({ out, experts: layout.experts, ...result })}\n`
        : `${out}: ${result.files} files, ${formatBytes(result.bytes)}, ${layout.experts} of ${checkpoint.config.experts} experts a layer${result.resumedFiles > 0 ? `, ${result.resumedFiles} files from the earlier run` : ''}\n`,
    );
    return EXIT.ok;
  } finally {
    progress.end();
  }
}
