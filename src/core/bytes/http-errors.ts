import { StudioError } from '../base/errors.ts';

// Addresses are named by their host alone: a signed one is a key to the file.

/** No answer came, after all tries. */
export function unreachableError(file: string, url: string, cause: unknown): StudioError {
  return new StudioError(
    'source',
    'unreachable',
    `"${file}" could not be fetched from ${hostOf(url)}: no answer came.`,
    {
      nextStep: 'Check the connection, and whether a blocker or proxy stands between, then try again.',
      details: { file, host: hostOf(url) },
      cause,
    },
  );
}

/** The server went silent, after all tries. */
export function stalledError(file: string, url: string, seconds: number): StudioError {
  return new StudioError(
    'source',
    'stalled',
    `"${file}" could not be fetched: ${hostOf(url)} sent nothing for ${seconds} seconds.`,
    {
      nextStep: 'Check the connection and try again; what was finished stays.',
      details: { file, host: hostOf(url) },
    },
  );
}

/** The server answered with something other than the file. */
export function badStatusError(file: string, url: string, status: number): StudioError {
  return new StudioError(
    'source',
    status === 429 ? 'rate-limited' : 'bad-status',
    `"${file}" could not be fetched: ${hostOf(url)} answered with status ${status}.`,
    {
      nextStep: adviceFor(status),
      details: { file, host: hostOf(url), status },
    },
  );
}

/** The server answered with other bytes than the range that was asked for. */
export function badRangeError(file: string, url: string, problem: string): StudioError {
  return new StudioError('source', 'bad-range', `"${file}" could not be fetched in parts: ${hostOf(url)} ${problem}.`, {
    nextStep: 'Use a server that answers range requests, or download the files and open the folder.',
    details: { file, host: hostOf(url) },
  });
}

/** A web page came in place of the file. */
export function pageError(file: string, url: string): StudioError {
  return new StudioError('source', 'not-a-file', `${hostOf(url)} sent a web page in place of "${file}".`, {
    nextStep: 'Check whether this network wants a sign-in first, or a proxy stands between; then try again.',
    details: { file, host: hostOf(url) },
  });
}

/** The host that an address names, fit for a message. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the server';
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403)
    return 'The file is not public. Download the model where you have access, and open the folder.';
  if (status === 404 || status === 410) return 'Check the name of the model and its revision; the file is not there.';
  if (status === 429) return 'The server asks for a pause. Wait some minutes and try again.';
  return 'Try again later; if it stays so, download the files and open the folder.';
}
