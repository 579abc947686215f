import { expect, test } from '@playwright/test';
import { DEMO_MODEL, writeDemoPlan } from '../tools/faults/demo-plan.ts';
import { beginExport, endOfExport, hashesOf, openForExport, prepareExports } from '../tools/faults/exporting-page.ts';

/** Shares of an uninterrupted export's time after which the tab is reloaded. */
const MOMENTS = { disk: [0.2, 0.5, 0.8], 'direct access': [0.4] } as const;

for (const way of ['disk', 'direct access'] as const) {
  test(`a tab reloaded in the middle of an export ends with the same bytes: ${way}`, async ({
    page,
    context,
  }, info) => {
    const plan = info.outputPath('demo.plan.json');
    await writeDemoPlan(plan);
    await prepareExports(context, { asOnDisk: way === 'disk', openMs: 20 });
    let studio = await openForExport(page, '/', DEMO_MODEL, plan);
    const started = performance.now();
    await beginExport(studio, 'whole');
    await endOfExport(studio);
    const duration = performance.now() - started;
    const whole = await hashesOf(page, 'whole');
    expect(Object.keys(whole)).toContain('config.json');

    let underWay = 0;
    for (const moment of MOMENTS[way]) {
      await beginExport(studio, 'torn');
      await page.waitForTimeout(moment * duration);
      studio = await openForExport(page, '/', DEMO_MODEL, plan);
      const names = Object.keys(await hashesOf(page, 'torn'));
      if (names.length > 0 && !names.includes('config.json')) underWay += 1;
    }
    expect(underWay, 'a reload met the export half done').toBeGreaterThan(0);
    await beginExport(studio, 'torn');
    await endOfExport(studio);
    expect(await hashesOf(page, 'torn')).toEqual(whole);
  });
}

test('a second tab may not export into the folder that the first one is writing', async ({ page, context }, info) => {
  const plan = info.outputPath('demo.plan.json');
  await writeDemoPlan(plan);
  await prepareExports(context, { openMs: 150 });
  const first = await openForExport(page, '/', DEMO_MODEL, plan);
  const second = await openForExport(await context.newPage(), '/', DEMO_MODEL, plan);
  await page.bringToFront();
  await beginExport(first, 'shared');
  await expect(page.getByRole('progressbar', { name: 'Export' })).toHaveAttribute('aria-valuetext', /Writing/);
  await second.page.bringToFront();
  await beginExport(second, 'shared');
  await expect(second.page.getByRole('alert')).toContainText('Another export is running.');
  await endOfExport(first);

  // The same export, whole: nothing is written again, everything is checked.
  await second.button('Go on').click();
  await endOfExport(second);
  await expect(second.page.getByRole('status', { name: 'Export result' })).toContainText('Verified');
});

test('a cancelled export says what is kept, and goes on', async ({ page, context }, info) => {
  const plan = info.outputPath('demo.plan.json');
  await writeDemoPlan(plan);
  await prepareExports(context, { asOnDisk: true, openMs: 150 });
  const studio = await openForExport(page, '/', DEMO_MODEL, plan);
  await beginExport(studio, 'torn');
  await expect(page.getByRole('progressbar', { name: 'Export' })).toHaveAttribute('aria-valuetext', /model-00002/);
  await studio.button('Cancel export').click();
  await expect(page.getByText(/are finished and kept in "torn"; .* are missing/)).toBeVisible();
  await studio.button('Go on').click();
  await endOfExport(studio);
});
