import { withPage } from './chromium-page.ts';

/** Adds up what crosses the wire until the first screen is idle, headers and bodies, as served (gzip). */
export async function run(): Promise<void> {
  await withPage('dist/', async (page, address) => {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    const urls = new Map<string, string>();
    const rows: { readonly url: string; readonly bytes: number }[] = [];
    session.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      rows.push({ url: urls.get(requestId) ?? '', bytes: encodedDataLength });
    });
    await page.goto(address);
    await page.waitForLoadState('networkidle');
    const total = rows.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { url, bytes } of rows)
      console.log(`  ${(bytes / 1000).toFixed(1).padStart(7)} kB  ${new URL(url).pathname}`);
    console.log(`  ${(total / 1000).toFixed(1).padStart(7)} kB  in all (goal: 220)`);
  });
}
