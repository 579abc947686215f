import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { findChromium } from '../chromium.mjs';
import { beginExport, endOfExport, openForExport, prepareExports } from '../faults/exporting-page.ts';
import { createStaticServer, listenOnLoopback } from '../static-server.mjs';
import { CHROMIUM_FLAGS } from './chromium-page.ts';

interface PageRun {
  /** From the press of "Export model" to the verified result. */
  readonly seconds: number;
  readonly way: 'direct access' | 'as on disk';
}

/**
 * Exports a local folder by the built page into the private file system, as a person would: by direct access, which
 * private files alone give, and by the writable streams that files on a person's disk are written with.
 * @param room A folder of the disk that is measured: the browser's profile, and in it the private files, lie there.
 */
export async function exportInPage(model: string, plan: string, room: string): Promise<readonly PageRun[]> {
  const profile = await mkdtemp(join(room, 'profile-'));
  const server = await createStaticServer(new URL('../../dist/', import.meta.url).pathname);
  const address = `http://127.0.0.1:${await listenOnLoopback(server, 4300)}/`;
  const executablePath = findChromium();
  const runs: PageRun[] = [];
  try {
    for (const way of ['direct access', 'as on disk'] as const) {
      const context = await chromium.launchPersistentContext(join(profile, way.replaceAll(' ', '-')), {
        args: CHROMIUM_FLAGS,
        ...(executablePath === undefined ? {} : { executablePath }),
      });
      await prepareExports(context, { asOnDisk: way === 'as on disk' });
      const studio = await openForExport(await context.newPage(), address, model, plan);
      const started = performance.now();
      await beginExport(studio, 'bench');
      await endOfExport(studio);
      runs.push({ way, seconds: (performance.now() - started) / 1000 });
      await context.close();
    }
  } finally {
    server.close();
    await rm(profile, { recursive: true, force: true });
  }
  return runs;
}
