import { StudioError } from '../base/errors.ts';
import { type HttpAccess, StallGuard, timer } from './http-access.ts';
import { discard, isPassing, pauseAsked } from './http-answer.ts';
import { badStatusError, stalledError, unreachableError } from './http-errors.ts';
import { type RangeTarget, TryAgain } from './range-target.ts';

/** Tries without progress before a failure stands: with the pauses between them, most of a minute. */
const MAX_TRIES = 6;
/** Before the second try; four times as long before each further one, up to the longest. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
/** Browsers hide the header that says how long a server wants to be left alone: it gets this much more. */
const RATE_LIMIT_FACTOR = 8;
/** Addresses asked one after another without a pause, when each has just gone stale. */
const MAX_MOVES = 3;

/** What became of one request. */
export type Outcome = 'done' | TryAgain;

/** Reads an answer of status 200, 206 or 416. `alive` is called as bytes come, so that a slow answer is no stalled one. */
export type UseAnswer = (response: Response, alive: () => void) => Promise<Outcome>;

/** Asks for bytes `first` to `last`, both included, once. @throws StudioError when asking again is of no use; the signal's reason. */
async function askOnce(
  target: RangeTarget,
  access: HttpAccess,
  first: number,
  last: number,
  use: UseAnswer,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const address = await target.address(signal);
  const { url, headers, ...init } = address;
  let guard: StallGuard | undefined;
  let response: Response | undefined;
  let answered = false;
  const again = (failure: StudioError, pause = 0): TryAgain => {
    target.failed(address);
    return new TryAgain(failure, { pause });
  };
  try {
    guard = new StallGuard(access, signal);
    const { alive } = guard;
    // A single plain range needs no preflight, and a referrer has led a content network to refuse.
    // As a plain function: a browser's own fetch refuses to be called as a method of something else.
    const { fetch } = access;
    response = await fetch(url, {
      ...init,
      headers: { ...headers, Range: `bytes=${first}-${last}` },
      referrerPolicy: 'no-referrer',
      signal: guard.signal,
    });
    alive();
    const { status } = response;
    if (isPassing(status)) return again(badStatusError(target.name, url, status), pauseAsked(response, Date.now()));
    answered = true;
    if (status !== 200 && status !== 206 && status !== 416) return target.refused(address, response);
    target.answered(address, response);
    const outcome = await use(response, alive);
    if (outcome !== 'done') target.failed(address);
    return outcome;
  } catch (error) {
    if (signal?.aborted === true) {
      target.failed(address);
      throw signal.reason;
    }
    if (guard?.stalled === true) return again(stalledError(target.name, url, guard.seconds));
    if (error instanceof StudioError) {
      if (!answered) target.failed(address);
      throw error;
    }
    return again(unreachableError(target.name, url, error));
  } finally {
    guard?.done();
    if (response !== undefined) await discard(response);
  }
}

/**
 * Asks for a range until `use` has what it needs or the tries are used up.
 * @param next First byte of the next request; a try that moved it on was progress, and the tries are counted anew.
 * @throws StudioError family `source`; the signal's reason.
 */
export async function askForRange(
  target: RangeTarget,
  access: HttpAccess,
  next: () => number,
  last: number,
  use: UseAnswer,
  signal?: AbortSignal,
): Promise<void> {
  let failures = 0;
  let moves = 0;
  for (;;) {
    const first = next();
    const outcome = await askOnce(target, access, first, last, use, signal);
    if (outcome === 'done') return;
    if (outcome.atOnce && moves < MAX_MOVES) {
      moves += 1;
      continue;
    }
    moves = 0;
    failures = next() > first ? 1 : failures + 1;
    if (failures >= MAX_TRIES) throw outcome.failure;
    const factor = outcome.failure.code === 'rate-limited' ? RATE_LIMIT_FACTOR : 1;
    const wait = Math.min(FIRST_WAIT_MS * 4 ** (failures - 1) * factor, LONGEST_WAIT_MS);
    await (access.wait ?? timer)(Math.max(wait, outcome.pause), signal);
  }
}
