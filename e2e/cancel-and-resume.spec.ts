import { expect, test } from '@playwright/test';
import { Studio } from './studio.ts';

const text = (bytes: Uint8Array<ArrayBuffer>): string => new TextDecoder().decode(bytes);

test('a run that is paused, cancelled and reloaded goes on, to the statistics of an uninterrupted run', async ({
  page,
}) => {
  const studio = new Studio(page);
  await studio.openDemo();
  await studio.limitTokens(8192);
  await studio.button('Calibrate').click();
  await studio.button('Pause').click();
  await expect(studio.button('Resume')).toBeVisible();
  await expect(page.getByText(/^Paused/).first()).toBeVisible();
  const before = await studio.progress.getAttribute('aria-valuenow');
  await page.waitForTimeout(1500);
  expect(await studio.progress.getAttribute('aria-valuenow'), 'nothing moves while paused').toBe(before);
  await studio.button('Resume').click();

  // Two layers are enough to go on from.
  await expect
    .poll(async () => Number(await studio.progress.getAttribute('aria-valuenow')), { timeout: 60_000, intervals: [50] })
    .toBeGreaterThan(27);
  await studio.button('Cancel').click();
  await expect(studio.button('Calibrate')).toBeEnabled();

  await page.reload();
  await studio.openDemo();
  await studio.limitTokens(8192);
  await studio.button('Calibrate').click();
  await expect(page.getByText(/[2-4] layers were taken over from an earlier run/).first()).toBeVisible();
  await studio.finished();
  const resumed = text((await studio.download('Export statistics')).bytes);

  await studio.advanced();
  await page.getByLabel('Measure every layer again').check();
  await studio.button('Calibrate').click();
  await expect(studio.button('Export plan')).toBeDisabled();
  await studio.finished();
  expect(text((await studio.download('Export statistics')).bytes) === resumed, 'equal to the last digit').toBe(true);
});

test('a tab that is closed in the middle of a run loses no finished layer', async ({ page, context }) => {
  const studio = new Studio(page);
  await studio.openDemo();
  await studio.limitTokens(8192);
  await studio.button('Calibrate').click();
  await expect
    .poll(async () => Number(await studio.progress.getAttribute('aria-valuenow')), { timeout: 60_000, intervals: [50] })
    .toBeGreaterThan(27);
  await page.close();

  const second = new Studio(await context.newPage());
  await second.openDemo();
  await second.limitTokens(8192);
  await second.button('Calibrate').click();
  await expect(second.page.getByText(/[2-8] layers were taken over from an earlier run/).first()).toBeVisible({
    timeout: 30_000,
  });
  await second.finished();
});
