import { isStudioError } from '../base/errors.ts';
import { type HttpAccess, StallGuard, timer } from '../bytes/http-access.ts';
import { discard, isPage, isPassing, pauseAsked } from '../bytes/http-answer.ts';
import { badStatusError, stalledError, unreachableError } from '../bytes/http-errors.ts';
import { authorization, isOnHub } from './hub-endpoint.ts';
import { type Asked, hubStatusError, notAHubError } from './hub-errors.ts';

/** Someone waits before the screen: fewer tries than for the bytes of a file. */
const MAX_TRIES = 3;
const FIRST_WAIT_MS = 250;
/** A longer pause is not waited for while someone waits before the screen. */
const LONGEST_PAUSE_MS = 5000;
/** One page of a listing holds a thousand files in some hundred kilobytes. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;

/** The whole body, within bounds. */
async function readBody(response: Response, alive: () => void, asked: Asked): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const step = await reader?.read();
    if (step === undefined || step.done) break;
    alive();
    const chunk: Uint8Array = step.value;
    length += chunk.byteLength;
    if (length > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw notAHubError(asked, 'answers with far more than a hub has to say');
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

/**
 * A `fetch` for the hub's API: the token goes to the hub alone, a passing failure is tried again, silence ends, and what
 * is no success is thrown as a StudioError rather than returned.
 */
export function hubFetch(access: HttpAccess, asked: Asked, token?: string, signal?: AbortSignal): typeof fetch {
  const askOnce = async (url: string, headers: Headers): Promise<Response> => {
    const guard = new StallGuard(access, signal);
    const { fetch } = access;
    let response: Response | undefined;
    try {
      response = await fetch(url, {
        headers,
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        signal: guard.signal,
      });
      guard.alive();
      if (isPassing(response.status)) return response;
      if (!response.ok) throw hubStatusError(asked, response);
      if (isPage(response)) throw notAHubError(asked, 'sends a web page where a hub answers with data');
      // A new Response, so that a body that breaks off fails here, where it can be asked for again.
      return new Response(await readBody(response, guard.alive, asked), { headers: response.headers });
    } catch (error) {
      signal?.throwIfAborted();
      if (isStudioError(error)) throw error;
      if (guard.stalled) throw stalledError(asked.repo, url, guard.seconds);
      throw unreachableError(asked.repo, url, error);
    } finally {
      guard.done();
      if (response !== undefined) await discard(response);
    }
  };
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = new Headers(init?.headers);
    if (token !== undefined && isOnHub(url, asked.endpoint)) headers.set('Authorization', authorization(token));
    for (let count = 1; ; count++) {
      let pause = FIRST_WAIT_MS * 4 ** (count - 1);
      try {
        const response = await askOnce(url, headers);
        if (response.ok) return response;
        const asksFor = pauseAsked(response, Date.now());
        if (count === MAX_TRIES || asksFor > LONGEST_PAUSE_MS) {
          throw badStatusError(asked.repo, asked.endpoint, response.status);
        }
        pause = Math.max(pause, asksFor);
      } catch (error) {
        const passes = isStudioError(error) && (error.code === 'unreachable' || error.code === 'stalled');
        if (!passes || count === MAX_TRIES) throw error;
      }
      await (access.wait ?? timer)(pause, signal);
    }
  };
}
