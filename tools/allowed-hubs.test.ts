import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allowHubs, hubsOfSetting, META_CONTENT_SECURITY_POLICY, PRODUCTION_HEADERS } from './response-headers.mjs';
import { createStaticServer, listenOnLoopback } from './static-server.mjs';

const HUB = 'http://127.0.0.1:4611';
const PAGE = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${META_CONTENT_SECURITY_POLICY.replaceAll("'", '&#39;')}"><title>studio</title>`;
const WORKER = '/assets/calibration.worker-AbCd1234.js';
let folder: string;
const servers: Server[] = [];
let plain: string;
let open: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reap-hubs-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), PAGE);
  writeFileSync(join(folder, WORKER), '1');
  writeFileSync(join(folder, 'assets/main-AbCd1234.js'), '1');
  const serve = async (hubs?: readonly string[]): Promise<string> => {
    const server = await createStaticServer(folder, hubs);
    servers.push(server);
    return `http://127.0.0.1:${await listenOnLoopback(server, 20_000 + (process.pid % 20_000))}`;
  };
  plain = await serve();
  open = await serve([HUB, 'https://hub.example.org']);
});

afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

const connectSources = (policy: string | null): string[] | undefined =>
  /connect-src ([^;]*)/.exec(policy ?? '')?.[1]?.split(' ');
const OURS = ["'self'", 'https://huggingface.co', 'https://*.hf.co'];
const policyOfPage = (html: string): string => (/content="([^"]*)"/.exec(html)?.[1] ?? '').replaceAll('&#39;', "'");

test('without the setting the page may ask its own hub alone', async () => {
  const response = await fetch(`${plain}/`);
  expect(connectSources(response.headers.get('content-security-policy'))).toEqual(OURS);
  expect(await response.text()).toBe(PAGE);
});

test.each(['/', '/index.html', WORKER, '/missing'])('with it %s says so in its header', async (path) => {
  const policy = (await fetch(open + path)).headers.get('content-security-policy');
  expect(connectSources(policy)).toEqual([...OURS, HUB, 'https://hub.example.org']);
  const rest = (text: string): string => text.replace(/connect-src [^;]*/, '');
  expect(rest(policy ?? '')).toBe(rest(PRODUCTION_HEADERS['Content-Security-Policy']));
});

test('with it the page says so as well, whole or in part', async () => {
  const response = await fetch(`${open}/`);
  const html = await response.text();
  expect(connectSources(policyOfPage(html))).toEqual([...OURS, HUB, 'https://hub.example.org']);
  expect(html.endsWith('<title>studio</title>')).toBe(true);
  const { length } = new TextEncoder().encode(html);
  const part = await fetch(`${open}/`, { headers: { Range: 'bytes=10-19' } });
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${length}`]);
  expect(await part.text()).toBe(html.slice(10, 20));
  const head = await fetch(`${open}/`, { method: 'HEAD', headers: { 'Accept-Encoding': 'identity' } });
  expect(head.headers.get('content-length')).toBe(String(length));
});

test('a copy from before the setting is not taken for the page or its workers', async () => {
  for (const path of ['/', WORKER]) {
    const before = await fetch(plain + path);
    expect(before.headers.get('cache-control')).toBe('no-cache');
    const tag = before.headers.get('etag') ?? '';
    expect((await fetch(plain + path, { headers: { 'If-None-Match': tag } })).status).toBe(304);
    expect((await fetch(open + path, { headers: { 'If-None-Match': tag } })).status).toBe(200);
  }
  expect((await fetch(`${open}/assets/main-AbCd1234.js`)).headers.get('cache-control')).toContain('immutable');
});

test('the setting is a list of origins', () => {
  expect(hubsOfSetting(undefined)).toEqual([]);
  expect(hubsOfSetting(' , ')).toEqual([]);
  expect(hubsOfSetting(`${HUB}/, https://*.example.org,http://127.0.0.1:*`)).toEqual([
    HUB,
    'https://*.example.org',
    'http://127.0.0.1:*',
  ]);
});

test.each([
  'hub.example.org',
  'ftp://hub.example.org',
  'https://hub.example.org/models',
  'https://user:secret@hub.example.org',
  "https://hub.example.org; script-src 'unsafe-inline'",
  'https://*',
  '*',
])('%s is refused as a hub', (setting) => {
  expect(() => hubsOfSetting(setting)).toThrow('REAP_STUDIO_HUB');
});

test('a page without the policy is left as it is', () => {
  expect(allowHubs('<title>other</title>', [HUB])).toBe('<title>other</title>');
});
