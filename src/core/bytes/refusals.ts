import { StudioError } from '../base/errors.ts';

/** The file is not what it was when it was opened. */
export function changedError(file: string, how: string, cause?: unknown): StudioError {
  return new StudioError('source', 'changed', `"${file}" changed after it was opened: ${how}.`, {
    nextStep: 'Wait until nothing writes to it any more, then open the model again.',
    details: { file },
    cause,
  });
}

/** The file is there but gives no bytes. */
export function unreadableError(file: string, reason: string, cause?: unknown): StudioError {
  return new StudioError('source', 'unreadable', `"${file}" cannot be read: ${reason}.`, {
    nextStep: 'Check that the disk is connected and that you may read the file, then open the model again.',
    details: { file },
    cause,
  });
}

/** The file gave `found` bytes where `expected` were asked for. */
export function shortReadError(file: string, offset: number, expected: number, found: number): StudioError {
  return new StudioError(
    'source',
    'short-read',
    `"${file}" gave ${found} of ${expected} bytes from byte ${offset} on.`,
    {
      nextStep: 'Try again. If it happens again, compare the size of the file with the original.',
      details: { file, offset, expected, found },
    },
  );
}

const NAMES_SHOWN = 8;

/** The folder has no file of that name. `names` are the files that are there. */
export function missingFileError(folder: string, file: string, names: readonly string[]): StudioError {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  const there = names.length === 0 ? 'it holds no files' : `it holds ${shown}${more}`;
  return new StudioError('source', 'missing-file', `"${folder}" holds no file "${file}": ${there}.`, {
    nextStep: `Put "${file}" into the folder, or open the folder that holds it.`,
    details: { folder, file },
  });
}

/** The target folder holds a file of that name already. */
export function fileExistsError(folder: string, file: string, cause?: unknown): StudioError {
  return new StudioError('export', 'file-exists', `"${folder}" holds a file "${file}" already.`, {
    nextStep: 'Choose an empty folder; the studio writes over no file.',
    details: { folder, file },
    cause,
  });
}
