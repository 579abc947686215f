import { isStudioError, toWireError, type WireError } from '../core/base/errors.ts';

/** What ends every run: one of these events, exactly once. */
type Ending = { readonly type: 'cancelled' } | { readonly type: 'failed'; readonly error: WireError };

interface RunEvent {
  readonly type: string;
}

const ENDINGS: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

/** The worker's answer and its last events travel on two ports, which keep no common order. */
const LAST_EVENT_MS = 2000;

/**
 * Starts a run that reports on a port of its own, and hands its events on until it has ended. Exactly one ending arrives:
 * the worker's own, or one made here when the worker died or fell silent. Never rejects.
 */
export async function runWithEvents<Event extends RunEvent>(
  start: (port: MessagePort) => Promise<void>,
  onEvent: (event: Event | Ending) => void,
): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  let noteEnding: () => void = () => {};
  const ending = new Promise<void>((resolve) => {
    noteEnding = resolve;
  });
  let ended = false;
  const pass = (event: Event | Ending) => {
    if (ended) return;
    ended = ENDINGS.has(event.type);
    onEvent(event);
    if (ended) noteEnding();
  };
  port1.onmessage = (message: MessageEvent<Event>) => pass(message.data);
  try {
    await start(port2);
    await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, LAST_EVENT_MS))]);
    if (!ended) pass({ type: 'failed', error: toWireError(new Error('The worker ended its run without a result.')) });
  } catch (error) {
    const cancelled = isStudioError(error) && error.code === 'cancelled';
    pass(cancelled ? { type: 'cancelled' } : { type: 'failed', error: toWireError(error) });
  } finally {
    port1.close();
  }
}
