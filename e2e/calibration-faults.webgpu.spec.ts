import { tmpdir } from 'node:os';
import { expect, test } from '@playwright/test';
import { expectFigures, openGolden } from './calibration-figures.ts';
import { prepareFixture } from './golden-checkpoints.ts';
import { afterReports, destroyAfter, injectIntoWorker, watchDevices } from './worker-faults.ts';

const room = `${tmpdir()}/reap-studio-device-faults`;
const FIRST_LAYER = "(report?.type === 'layer' && layers === 1)";
/** Its self-test is over by then. */
const OPENED = "report?.type === 'backend' && report.backend.id === 'webgpu'";

test('a device that is lost in the middle of a layer is opened again, and the statistics are right', async ({
  page,
}) => {
  const golden = await prepareFixture(room);
  const code = watchDevices({ disguised: false }) + afterReports(FIRST_LAYER, destroyAfter(9));
  await injectIntoWorker(page, code, { once: false });
  const studio = await openGolden(page, golden, 'webgpu');
  await studio.calibrate();
  await expect(page.getByText(/The run went on in smaller blocks\.$/)).toBeVisible();
  await expect(page.getByText(/WebGPU on .*swiftshader/i).first()).toBeVisible();
  await expectFigures(studio, golden);
});

test('a device that is lost twice in one layer is given up for WebAssembly, and the page says so', async ({ page }) => {
  const golden = await prepareFixture(room);
  const dying =
    watchDevices({ disguised: true }) + afterReports(`${FIRST_LAYER} || (${OPENED} && layers > 0)`, destroyAfter(9));
  await injectIntoWorker(page, dying, { once: false });
  const studio = await openGolden(page, golden, 'auto');
  await studio.calibrate();
  await expect(page.getByText(/It had failed twice in one layer: the run went on without it\.$/)).toBeVisible();
  await expect(page.getByText(/WebAssembly, \d+ thread/).first()).toBeVisible();
  await expectFigures(studio, golden);
});
