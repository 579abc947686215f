import { isAbortError } from '../base/abort.ts';
import { StudioError } from '../base/errors.ts';
import { formatBytes } from './format-bytes.ts';

function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : '';
}

/**
 * Turns what a target folder threw into a refusal that says what to do. A StudioError and an abort pass unchanged.
 * @param missingBytes Bytes of the export that are not safely on the disk yet.
 */
export function writeFailure(cause: unknown, file: string, missingBytes: number): unknown {
  if (cause instanceof StudioError || isAbortError(cause)) return cause;
  const name = nameOf(cause);
  const details = { file, missingBytes };
  if (name === 'ENOSPC' || name === 'EDQUOT' || name === 'QuotaExceededError') {
    return new StudioError(
      'export',
      'disk-full',
      `The disk is full: "${file}" could not be written. ${formatBytes(missingBytes)} of the export are still missing.`,
      {
        nextStep: `Free at least ${formatBytes(missingBytes)} and start the export into the same folder again; finished files are kept.`,
        details,
        cause,
      },
    );
  }
  if (name === 'NotAllowedError' || name === 'EACCES' || name === 'EPERM' || name === 'EROFS') {
    return new StudioError('export', 'permission-lost', `Writing "${file}" was not allowed.`, {
      nextStep:
        'Allow writing to the folder, or choose another one, and start the export again; finished files are kept.',
      details,
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StudioError('export', 'write-failed', `"${file}" could not be written: ${reason}.`, {
    nextStep:
      'Check that the disk is still connected and start the export into the same folder again; finished files are kept.',
    details,
    cause,
  });
}
