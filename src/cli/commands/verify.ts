import { formatBytes } from '../../core/export/format-bytes.ts';
import { verifyExport } from '../../core/export/verify.ts';
import { onePositional, parseCommandLine } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { openFolder, openModel } from '../open-model.ts';
import { ProgressLine } from '../progress-line.ts';

/** Checks every byte of an exported folder against its manifest and plan, and against the unpruned model where it is given. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    ...DESCRIPTOR_OPTION,
    source: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const folder = await openFolder(onePositional(positionals, 'DIR'));
  const architecture = await readDescriptor(values.descriptor);
  const source = values.source === undefined ? undefined : await openModel(values.source, io.signal, architecture);
  const progress = new ProgressLine(io);
  const report = await verifyExport({
    folder,
    source,
    architecture,
    signal: io.signal,
    onProgress: ({ file, bytesDone, bytesTotal }) =>
      progress.update(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}: ${file}`),
  }).finally(() => progress.end());
  const right = report.problems.length === 0;
  if (values.json) {
    io.stdout(`${JSON.stringify({ ok: right, ...report })}\n`);
  } else {
    for (const problem of report.problems) io.stdout(`${problem.code}: ${problem.message}\n`);
    const against = report.comparedWithSource ? 'the source, the plan and the manifest' : 'the plan and the manifest';
    io.stdout(
      right
        ? `right: ${report.files} files, ${report.tensors} tensors, ${formatBytes(report.bytes)} held against ${against}\n`
        : `wrong: ${report.problems.length} ${report.problems.length === 1 ? 'problem' : 'problems'}\n`,
    );
    if (!report.comparedWithSource)
      io.stderr('Give --source MODEL to hold every byte against the unpruned model as well.\n');
  }
  return right ? EXIT.ok : EXIT.failed;
}
