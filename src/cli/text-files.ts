import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { StudioError } from '../core/base/errors.ts';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Reads a small text file. @throws StudioError family `source`: `missing-file`, `unreadable`. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const missing = codeOf(cause) === 'ENOENT';
    throw new StudioError(
      'source',
      missing ? 'missing-file' : 'unreadable',
      missing ? `There is no file "${path}".` : `"${path}" cannot be read (${codeOf(cause)}).`,
      {
        nextStep: 'Check the path and that you may read the file.',
        details: { file: path },
        cause,
      },
    );
  }
}

function fileExists(path: string, cause?: unknown): StudioError {
  return new StudioError('export', 'file-exists', `"${basename(path)}" is there already.`, {
    nextStep: 'Give another name to --out, or add --force to write over it.',
    details: { file: path },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Refuses before a long job what writeTextFile would refuse after it. @throws StudioError as writeTextFile. */
export async function checkOutput(path: string, force: boolean): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined && (!force || !there.isFile())) throw fileExists(path);
  if ((await stat(dirname(path)).catch(() => undefined))?.isDirectory() === true) return;
  throw new StudioError('export', 'write-failed', `The folder of "${path}" is not there.`, {
    nextStep: 'Make the folder first, or give another path to --out.',
    details: { file: path },
  });
}

/** Writes a new file; over an old one only with `force`. @throws StudioError family `export`: `file-exists`, `write-failed`. */
export async function writeTextFile(path: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') {
      throw fileExists(path, cause);
    }
    throw new StudioError('export', 'write-failed', `"${path}" cannot be written (${codeOf(cause)}).`, {
      nextStep: 'Check that the folder exists and that you may write into it.',
      details: { file: path },
      cause,
    });
  }
}
