import { chromium, type Page } from '@playwright/test';
import { findChromium } from '../chromium.mjs';
import { createStaticServer, listenOnLoopback } from '../static-server.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const FIRST_PORT = 4300;

/** Opens a fresh Chromium on a folder of built files, served as `npm start` serves them, and closes both afterwards. */
export async function withPage(folder: string, work: (page: Page, address: string) => Promise<void>): Promise<void> {
  const server = await createStaticServer(new URL(folder, `file://${ROOT}`).pathname);
  const port = await listenOnLoopback(server, FIRST_PORT);
  const executablePath = findChromium();
  const browser = await chromium.launch({
    args: CHROMIUM_FLAGS,
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  try {
    await work(await browser.newPage({ viewport: { width: 1440, height: 900 } }), `http://127.0.0.1:${port}/`);
  } finally {
    await browser.close();
    server.close();
  }
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
