import { StudioError } from '../src/core/base/errors.ts';

export function isNamed(error: unknown, ...names: string[]): boolean {
  return error instanceof DOMException && names.includes(error.name);
}

async function isGone(folder: FileSystemDirectoryHandle): Promise<boolean> {
  try {
    await folder.keys().next();
    return false;
  } catch (error) {
    return isNamed(error, 'NotFoundError');
  }
}

function refusal(code: string, message: string, nextStep: string, file: string, folder: string, cause: unknown) {
  return new StudioError('export', code, message, { nextStep, details: { folder, file }, cause });
}

/**
 * What a browser throws while it writes into a folder, as a refusal that says what to do: `permission-lost`,
 * `folder-gone`, `write-blocked`, `file-locked`. Anything else comes back as it is. `file` is '' for the folder itself.
 */
export async function targetFailure(cause: unknown, folder: FileSystemDirectoryHandle, file: string): Promise<unknown> {
  if (!(cause instanceof DOMException) || isNamed(cause, 'QuotaExceededError')) return cause;
  const { name: label } = folder;
  if (isNamed(cause, 'NotAllowedError', 'SecurityError')) {
    return refusal(
      'permission-lost',
      `The browser no longer allows writing into "${label}".`,
      'Choose the folder again, allow editing, and start the export once more; finished files are kept.',
      file,
      label,
      cause,
    );
  }
  if (await isGone(folder)) {
    return refusal(
      'folder-gone',
      `The folder "${label}" is no longer there: it was moved, renamed or deleted, or its disk was taken away.`,
      'Put it back under its old name and go on, or export into another folder.',
      file,
      label,
      cause,
    );
  }
  if (isNamed(cause, 'AbortError')) {
    return refusal(
      'write-blocked',
      `The browser's own check of downloads did not let "${file}" be written into "${label}".`,
      'Choose another folder, or export on the command line.',
      file,
      label,
      cause,
    );
  }
  if (isNamed(cause, 'NoModificationAllowedError', 'InvalidModificationError')) {
    return refusal(
      'file-locked',
      `"${file}" in "${label}" is being written by another tab or program.`,
      'Close the other one, wait a moment, and go on.',
      file,
      label,
      cause,
    );
  }
  return cause;
}
