import { isAbortError } from '../base/abort.ts';
import { StudioError } from '../base/errors.ts';
import { formatBytes } from './format-bytes.ts';

/** What was being done to a file of the target; it ends the sentence `"file" could not be …`. */
export type TargetAction = 'written' | 'read back' | 'removed' | 'listed';

const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'QuotaExceededError']);
const NOT_ALLOWED: ReadonlySet<string> = new Set(['NotAllowedError', 'SecurityError', 'EACCES', 'EPERM', 'EROFS']);

function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'name' in error && typeof error.name === 'string' ? error.name : '';
}

function diskFull(cause: unknown, file: string, missingBytes: number): StudioError {
  const missing = formatBytes(missingBytes);
  const [message, nextStep] =
    nameOf(cause) === 'EFBIG'
      ? [
          `"${file}" is larger than a file on this disk can be.`,
          'Give a smaller size of the shards (on the command line --shard-size 4GB) and an empty folder, or another disk.',
        ]
      : [
          `The disk is full: "${file}" could not be written. ${missing} of the export are still missing.`,
          `Free at least ${missing} and start the export into the same folder again; finished files are kept.`,
        ];
  return new StudioError('export', 'disk-full', message, { nextStep, details: { file, missingBytes }, cause });
}

/**
 * Turns what a target folder threw into a refusal that says what to do. A StudioError and an abort pass unchanged.
 * @param missingBytes Bytes of the export that are not safely on the disk yet.
 */
export function writeFailure(
  cause: unknown,
  file: string,
  missingBytes: number,
  action: TargetAction = 'written',
): unknown {
  if (cause instanceof StudioError || isAbortError(cause)) return cause;
  const name = nameOf(cause);
  if (DISK_FULL.has(name)) return diskFull(cause, file, missingBytes);
  const details = { file, missingBytes };
  if (NOT_ALLOWED.has(name)) {
    return new StudioError('export', 'permission-lost', `"${file}" could not be ${action}: it was not allowed.`, {
      nextStep:
        'Allow writing to the folder, or choose another one, and start the export again; finished files are kept.',
      details,
      cause,
    });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StudioError('export', 'write-failed', `"${file}" could not be ${action}: ${reason}.`, {
    nextStep:
      'Check that the disk is still connected and start the export into the same folder again; finished files are kept.',
    details,
    cause,
  });
}
