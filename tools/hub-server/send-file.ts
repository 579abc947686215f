import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { HubFault } from './hub-fault.ts';
import type { ServedFile } from './hub-repository.ts';

const PAGE = '<!doctype html><title>Sign in</title><p>Please sign in to this network.';

/** The one range that was asked for, both ends included; anything but a single range of bytes asks for the whole file. */
function askedRange(header: string | undefined, size: number): { first: number; last: number } | 'whole' | 'beyond' {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return 'whole';
  if (from === '') return size === 0 ? 'beyond' : { first: Math.max(size - Number(to), 0), last: size - 1 };
  if (to !== '' && Number(to) < Number(from)) return 'whole';
  if (Number(from) >= size) return 'beyond';
  return { first: Number(from), last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** Writes a body chunk by chunk as the reader takes it. `count` hears of every byte written. */
async function sendBody(
  response: ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  fault: HubFault | undefined,
  count: (bytes: number) => void,
): Promise<void> {
  let left = fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.afterBytes : Number.POSITIVE_INFINITY;
  const write = async (piece: Uint8Array): Promise<void> => {
    if (piece.byteLength === 0 || response.destroyed) return;
    count(piece.byteLength);
    await new Promise<void>((resolve) => {
      response.write(piece, () => resolve());
    });
  };
  for await (const chunk of chunks) {
    if (response.destroyed) return;
    await write(left < chunk.byteLength ? chunk.subarray(0, left) : chunk);
    left -= chunk.byteLength;
    if (left < 0) {
      if (fault?.kind === 'cut') response.destroy();
      return;
    }
    if (fault?.kind === 'slow') await sleep((chunk.byteLength / fault.bytesPerSecond) * 1000);
  }
  response.end();
}

async function* spoilt(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.map((byte) => byte ^ 0xff);
}

/** Answers with a file or the range of it that was asked for, and does wrong what `fault` says. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: ServedFile,
  etag: string,
  fault: HubFault | undefined,
  count: (bytes: number) => void,
): Promise<void> {
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('ETag', fault?.kind === 'other-etag' ? '"another-version"' : etag);
  if (fault?.kind === 'html') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': PAGE.length });
    response.end(PAGE);
    return;
  }
  const range = fault?.kind === 'whole-file' ? 'whole' : askedRange(request.headers.range, file.size);
  if (range === 'beyond') {
    response.writeHead(416, { 'Content-Range': `bytes */${file.size}` }).end();
    return;
  }
  const { first, last } = range === 'whole' ? { first: 0, last: file.size - 1 } : range;
  response.setHeader('Content-Type', file.path.endsWith('.json') ? 'application/json' : 'application/octet-stream');
  response.setHeader('Content-Length', last - first + 1);
  if (range !== 'whole') {
    const shift = fault?.kind === 'wrong-range' ? 1 : 0;
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes ${first + shift}-${last + shift}/${file.size}`);
  }
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const bytes = file.read(first, last);
  if (fault?.kind === 'gzip') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    const packed = gzipSync(Buffer.concat(chunks));
    count(packed.byteLength);
    response.setHeader('Content-Encoding', 'gzip');
    response.setHeader('Content-Length', packed.byteLength);
    response.end(packed);
    return;
  }
  response.flushHeaders();
  await sendBody(response, fault?.kind === 'other-bytes' ? spoilt(bytes) : bytes, fault, count);
}
