import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { sampleBytes } from './byte-source-contract.fixture.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Test fixture: a server that knows ranges, and does wrong when it is told to. */
export class RangeServer {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  origin = '';
  /** Requests as they came: method and Range. */
  asked: string[] = [];
  etag: string | undefined = '"one"';
  modified: string | undefined;
  /** Takes the next requests in place of the file; one entry each. */
  instead: (Answer | undefined)[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.asked.push(`${request.method} ${request.headers.range}`);
    (this.instead.shift() ?? this.#serveFile)(request, response);
  });

  async start(): Promise<void> {
    // An idle connection that is closed while it is taken up again would be one request more.
    this.#server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.origin = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  reset(): void {
    this.files.clear();
    this.asked = [];
    this.instead = [];
    this.etag = '"one"';
    this.modified = undefined;
  }

  /** Sends the file "a" whole, whatever was asked for. */
  readonly wholeFile: Answer = (_, response) => {
    const bytes = this.files.get('a') ?? new Uint8Array();
    response.writeHead(200, { 'Content-Length': bytes.byteLength }).end(bytes);
  };

  readonly #serveFile: Answer = (request, response) => {
    const bytes = this.files.get(decodeURIComponent((request.url ?? '').slice(1)));
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (this.etag !== undefined) response.setHeader('ETag', this.etag);
    if (this.modified !== undefined) response.setHeader('Last-Modified', this.modified);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range === null) {
      response.writeHead(200, { 'Content-Length': bytes.byteLength }).end(bytes);
      return;
    }
    const first = Number(range[1]);
    const last = Math.min(Number(range[2]), bytes.byteLength - 1);
    if (first > last) {
      response.writeHead(416, { 'Content-Range': `bytes */${bytes.byteLength}` }).end();
      return;
    }
    response.writeHead(206, {
      'Content-Range': `bytes ${first}-${last}/${bytes.byteLength}`,
      'Content-Length': last - first + 1,
    });
    response.end(bytes.subarray(first, last + 1));
  };
}

export const status =
  (code: number): Answer =>
  (_, response) =>
    void response.writeHead(code).end();
export const hangUp: Answer = (request) => void request.socket.destroy();
export const packed: Answer = (_, response) => {
  const head = { 'Content-Range': 'bytes 0-9/1000', 'Content-Encoding': 'gzip' };
  response.writeHead(206, head).end(gzipSync(sampleBytes(10)));
};
export const page: Answer = (_, response) =>
  void response.writeHead(200, { 'Content-Type': 'text/html' }).end('<p>Sign in');
export const partial =
  (contentRange: string, body: Uint8Array): Answer =>
  (_, response) => {
    response.writeHead(206, { ...(contentRange === '' ? {} : { 'Content-Range': contentRange }) }).end(body);
  };
