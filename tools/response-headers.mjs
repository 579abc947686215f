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

/** @param {readonly string[]} hubs further origins that the page may ask for models and data sets */
const policyWith = (hubs) => ({ ...POLICY, 'connect-src': [POLICY['connect-src'], ...hubs].join(' ') });

/** The policy as a `<meta http-equiv>` tag may state it, for hosts that set no headers. */
export const META_CONTENT_SECURITY_POLICY = written(POLICY);

/**
 * A built page with further hubs let through by its own `<meta>` tag: what a page loads must pass every policy that it is
 * given, so a header alone would not do.
 * @param {string} html
 * @param {readonly string[]} hubs
 */
export function allowHubs(html, hubs) {
  /** @param {string} text */
  const inAttribute = (text) => text.replaceAll("'", '&#39;');
  return html.replaceAll(inAttribute(META_CONTENT_SECURITY_POLICY), inAttribute(written(policyWith(hubs))));
}

/**
 * All headers of a production answer, whatever its status.
 * @param {readonly string[]} hubs
 */
export const productionHeaders = (hubs) =>
  Object.freeze({
    ...ISOLATION_HEADERS,
    'Cross-Origin-Resource-Policy': 'same-origin',
    // `frame-ancestors` has no effect in a <meta> tag.
    'Content-Security-Policy': written({ ...policyWith(hubs), 'frame-ancestors': "'none'" }),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()',
  });

export const PRODUCTION_HEADERS = productionHeaders([]);

/** Scheme, host (with `*.` before it for all below it) and port (`*` for any): no path, no user name, nothing that ends a directive. */
const HUB_ORIGIN = /^https?:\/\/(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?:\d{1,5}|\*))?$/i;

/**
 * The hubs that REAP_STUDIO_HUB lets the page ask besides its own: origins, with commas between. A mirror that redirects to
 * another host needs that one listed as well.
 * @param {string | undefined} setting
 * @returns {string[]}
 */
export function hubsOfSetting(setting) {
  const hubs = (setting ?? '')
    .split(',')
    .map((hub) => hub.trim().replace(/\/+$/, ''))
    .filter((hub) => hub !== '');
  const wrong = hubs.find((hub) => !HUB_ORIGIN.test(hub));
  if (wrong === undefined) return hubs;
  throw new Error(
    `REAP_STUDIO_HUB names "${wrong}", which is not the origin of a hub. Give origins such as https://hub.example.org or http://127.0.0.1:8080, with commas between.`,
  );
}
