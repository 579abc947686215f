import { StudioError } from '../base/errors.ts';

/**
 * An endpoint in the form that addresses are built on: origin and path, no slash at its end.
 * @throws StudioError family `usage` code `bad-endpoint`.
 */
export function normaliseEndpoint(text: string): string {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  const isPlain =
    url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    // The text may hold a password: it is not repeated.
    throw new StudioError('usage', 'bad-endpoint', 'The endpoint of the hub is not an http or https address.', {
      nextStep: 'Give its address without a user name, as in https://huggingface.co.',
    });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/**
 * The Authorization header for a token. @throws StudioError family `usage` code `bad-token`, before the platform would
 * refuse it with a message that repeats it.
 */
export function authorization(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
  throw new StudioError('usage', 'bad-token', 'The token holds characters that no token has.', {
    nextStep: 'Copy the token again from the hub’s settings, without blanks or line breaks.',
  });
}

/** True when a request to `url` goes to the hub itself: the only host that may see the token. */
export function isOnHub(url: string, endpoint: string): boolean {
  return URL.canParse(url) && new URL(url).origin === new URL(endpoint).origin;
}
