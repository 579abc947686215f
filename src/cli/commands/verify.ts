import { formatBytes } from '../../core/export/format-bytes.ts';
import { verifyExport } from '../../core/export/verify.ts';
import type { VerifyReport } from '../../core/export/verify-report.ts';
import { onePositional, parseCommandLine, usageError } from '../arguments.ts';
import { type CliIo, EXIT } from '../cli-io.ts';
import { DESCRIPTOR_OPTION, readDescriptor } from '../descriptor-option.ts';
import { NodeHashing } from '../node-hasher.ts';
import { openFolder, openModel } from '../open-model.ts';
import { ProgressLine } from '../progress-line.ts';

function verdict(report: VerifyReport): string {
  const { problems, files, tensors, bytes, comparedWithSource, sourceFiles, publishedFiles } = report;
  if (problems.length > 0) return `wrong: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n`;
  const against = comparedWithSource ? 'the source, the plan and the manifest' : 'the plan and the manifest';
  const published =
    sourceFiles > 0
      ? `; ${sourceFiles} source files are the published ones`
      : publishedFiles > 0
        ? `; the manifest records the published sha256 of ${publishedFiles} source files`
        : '';
  return `right: ${files} files, ${tensors} tensors, ${formatBytes(bytes)} held against ${against}${published}\n`;
}

/** Checks every byte of an exported folder against its manifest and plan, and against the unpruned model where it is given. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseCommandLine(argv, {
    ...DESCRIPTOR_OPTION,
    source: { type: 'string' },
    'source-hashes': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  if (values['source-hashes'] && values.source === undefined)
    throw usageError('missing-option', '--source-hashes needs --source MODEL, whose files it reads.');
  const folder = await openFolder(onePositional(positionals, 'DIR'));
  const architecture = await readDescriptor(values.descriptor);
  const source = values.source === undefined ? undefined : await openModel(values.source, io.signal, architecture);
  const progress = new ProgressLine(io);
  const hashing = new NodeHashing();
  const report = await verifyExport({
    folder,
    source,
    architecture,
    sourceHashes: values['source-hashes'],
    openHasher: hashing.openHasher,
    signal: io.signal,
    onProgress: ({ file, bytesDone, bytesTotal }) =>
      progress.update(`${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}: ${file}`),
  }).finally(() => {
    progress.end();
    return hashing.close();
  });
  const right = report.problems.length === 0;
  if (values.json) {
    io.stdout(`${JSON.stringify({ ok: right, ...report })}\n`);
  } else {
    for (const problem of report.problems) io.stdout(`${problem.code}: ${problem.message}\n`);
    io.stdout(verdict(report));
    if (!report.comparedWithSource)
      io.stderr('Give --source MODEL to hold every byte against the unpruned model as well.\n');
  }
  return right ? EXIT.ok : EXIT.failed;
}
