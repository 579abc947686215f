import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { allowHubs, hubsOfSetting, productionHeaders } from './response-headers.mjs';

/** @type {ReadonlyMap<string, string>} */
const MEDIA_TYPES = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.html', 'text/html; charset=utf-8'],
  ['.ico', 'image/x-icon'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json; charset=utf-8'],
  ['.jsonl', 'application/jsonl; charset=utf-8'],
  ['.map', 'application/json; charset=utf-8'],
  ['.md', 'text/markdown; charset=utf-8'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml; charset=utf-8'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.wasm', 'application/wasm'],
  ['.webmanifest', 'application/manifest+json; charset=utf-8'],
  ['.woff2', 'font/woff2'],
]);

/** Vite writes a content hash into the name of everything under assets/. */
const HASHED_ASSET = /^\/assets\/.+-[\w-]{8,}\.\w+$/;
/** What a worker may ask for is said in the headers that its script came with: a copy of last year's must not decide it. */
const WORKER_SCRIPT = /\.worker-[\w-]{8,}\.js$/;

/** @typedef {{ readonly first: number; readonly last: number }} ByteRange both ends included */

/**
 * Reads a Range header (RFC 9110, 14.2). One range only: a list is legal to ignore and is answered with the whole file.
 * @param {string | undefined} header
 * @param {number} size length of the file in bytes
 * @returns {ByteRange | 'whole' | 'unsatisfiable'}
 */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return 'whole';
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const length = Math.min(Number(to), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return 'whole';
  if (first >= size) return 'unsatisfiable';
  return { first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/**
 * The file that a request path names, or undefined where there is none under the folder. Links that lead out of the folder name nothing.
 * @param {string} root real path of the folder
 * @param {string} pathname percent-encoded path of the request, with its leading slash
 */
async function findFile(root, pathname) {
  let name;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (!name.startsWith('/') || /[\0\\]/.test(name) || name.split('/').some((part) => part.startsWith('.')))
    return undefined;
  try {
    const path = await realpath(join(root, name.endsWith('/') ? `${name}index.html` : name));
    if (!path.startsWith(root + sep)) return undefined;
    const status = await stat(path);
    return status.isFile() ? { path, size: status.size, modified: status.mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {readonly string[]} hubs
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function answer(root, hubs, request, response) {
  for (const [name, value] of Object.entries(productionHeaders(hubs))) response.setHeader(name, value);
  /** @param {number} status @param {string} text @param {Record<string, string>} [headers] */
  const refuse = (status, text, headers = {}) => {
    response.writeHead(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : `${text}\n`);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(405, 'Only GET and HEAD are answered here.', { Allow: 'GET, HEAD' });

  const pathname = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
  const file = await findFile(root, pathname);
  if (file === undefined) return refuse(404, 'There is no such file here. The studio is at /.');

  const type = MEDIA_TYPES.get(extname(file.path)) ?? 'application/octet-stream';
  const ranged = request.headers.range !== undefined;
  const gzip =
    !ranged && type.includes('charset') && /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  // The page itself states the policy too, and is served with the hubs written in.
  const page =
    hubs.length > 0 && extname(file.path) === '.html'
      ? Buffer.from(allowHubs(await readFile(file.path, 'utf8'), hubs))
      : undefined;
  const size = page?.byteLength ?? file.size;
  const policy = hubs.length === 0 ? '' : `-${createHash('sha256').update(hubs.join()).digest('hex').slice(0, 8)}`;
  const tag = `"${size.toString(36)}-${Math.round(file.modified).toString(36)}${policy}${gzip ? '-gz' : ''}"`;
  response.setHeader('ETag', tag);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Vary', 'Accept-Encoding');
  const stays = HASHED_ASSET.test(pathname) && !WORKER_SCRIPT.test(pathname);
  response.setHeader('Cache-Control', stays ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (request.headers['if-none-match'] === tag) {
    response.writeHead(304).end();
    return;
  }

  response.setHeader('Content-Type', type);
  const condition = request.headers['if-range'];
  const range = condition === undefined || condition === tag ? parseRange(request.headers.range, size) : 'whole';
  if (range === 'unsatisfiable')
    return refuse(416, `The file has ${size} bytes.`, { 'Content-Range': `bytes */${size}` });
  if (range !== 'whole') {
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${range.first}-${range.last}/${size}`);
  }
  const span = range === 'whole' ? { first: 0, last: size - 1 } : range;
  if (gzip) response.setHeader('Content-Encoding', 'gzip');
  else response.setHeader('Content-Length', span.last - span.first + 1);
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  const bytes =
    page === undefined
      ? createReadStream(file.path, { start: span.first, end: span.last })
      : Readable.from([page.subarray(span.first, span.last + 1)]);
  await (gzip ? pipeline(bytes, createGzip(), response) : pipeline(bytes, response));
}

/**
 * A read-only server over one folder, with the studio's headers on every answer.
 * @param {string} folder
 * @param {readonly string[]} [hubs] origins that the page may ask for models besides its own hub
 */
export async function createStaticServer(folder, hubs = hubsOfSetting(process.env['REAP_STUDIO_HUB'])) {
  const root = await realpath(folder);
  return createServer((request, response) => {
    answer(root, hubs, request, response).catch(() => {
      // The reader went away, or the file vanished while it was sent: a status can no longer be given.
      response.destroy();
    });
  });
}

/**
 * @param {import('node:http').Server} server
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>} false where the port is taken
 */
function listen(server, port, host) {
  return new Promise((resolve, reject) => {
    /** @param {NodeJS.ErrnoException} error */
    const failed = (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve(true);
    });
  });
}

/**
 * Listens on loopback only, at the first free port from `port` on.
 * @param {import('node:http').Server} server
 * @param {number} port
 * @param {number} [tries] how many ports to try
 * @returns {Promise<number>} the port that was free
 */
export async function listenOnLoopback(server, port, tries = 100) {
  const last = Math.min(port + tries - 1, 65_535);
  for (let candidate = port; candidate <= last; candidate += 1) {
    if (await listen(server, candidate, '127.0.0.1')) return candidate;
  }
  const where = tries === 1 ? `Port ${port} is taken` : `No port is free between ${port} and ${last}`;
  throw new Error(`${where}. Stop the server there, or set PORT to another number.`);
}
