import { withPage } from './bench/chromium-page.ts';

const OUT = new URL('../docs/pictures/', import.meta.url).pathname;

/** Takes the README's pictures of the built page, calibrated on the demo's Python text, in light and dark. */
await withPage('dist/', async (page, address) => {
  await page.goto(address);
  await page.getByRole('button', { name: 'Try the demo' }).click();
  const calibrate = page.getByRole('button', { name: 'Calibrate', exact: true });
  await calibrate.click();
  await page.locator('button:enabled', { hasText: 'Export plan' }).waitFor({ timeout: 300_000 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${OUT}workspace-${colorScheme}.png` });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: `${OUT}narrow-dark.png` });
});
