/**
 * What every answer of the studio carries, in one place: the production server, Vite's dev and preview servers and the
 * <meta> tag of the built page read it from here.
 */

/** Cross-origin isolation: WebAssembly threads need it. `require-corp` rather than `credentialless`, because every
 * cross-origin request of the page is a CORS fetch (which both let through) and Safari knows only the former. */
export const ISOLATION_HEADERS = Object.freeze({
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
});

/** What the page may load and run. No `unsafe-eval`: WebAssembly alone is let through. The hub is the one foreign origin. */
const POLICY = Object.freeze({
  'default-src': "'self'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'connect-src': "'self' https://huggingface.co https://*.hf.co",
  'img-src': "'self' data: blob:",
  'style-src': "'self' 'unsafe-inline'",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
});

/** @param {Readonly<Record<string, string>>} policy */
const written = (policy) =>
  Object.entries(policy)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ');

/** The policy as a `<meta http-equiv>` tag may state it, for hosts that set no headers. */
export const META_CONTENT_SECURITY_POLICY = written(POLICY);

/** The policy as a header: `frame-ancestors` has no effect in a <meta> tag. */
export const CONTENT_SECURITY_POLICY = written({ ...POLICY, 'frame-ancestors': "'none'" });

/** All headers of a production answer, whatever its status. */
export const PRODUCTION_HEADERS = Object.freeze({
  ...ISOLATION_HEADERS,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()',
});
