import type { WireError } from '../../core/base/errors.ts';

/** A gated repository is listed for everyone, and refuses only when a file is read. */
export function wantsToken({ family, code }: WireError): boolean {
  return family === 'source' && code === 'unauthorised';
}

const PASSING: ReadonlySet<string> = new Set([
  'bad-status',
  'changed',
  'missing-file',
  'no-permission',
  'not-a-file',
  'rate-limited',
  'short-read',
  'signed-address',
  'stalled',
  'unreachable',
  'unreadable',
]);

const LOST: ReadonlySet<string> = new Set(['changed', 'no-permission', 'unauthorised']);

/** True when a model that was open gives its bytes no longer: its files changed, or they are closed to the page now. */
export function isSourceLost({ family, code }: WireError): boolean {
  return family === 'source' && LOST.has(code);
}

/** True for failures of the source that may be over when it is opened anew: its files changed, or gave no bytes. */
export function mayHelpToOpenAgain({ family, code }: WireError): boolean {
  return family === 'source' && PASSING.has(code);
}
