import { tmpdir } from 'node:os';
import { expect, test } from '@playwright/test';
import { expectFigures, openGolden } from './calibration-figures.ts';
import { prepareFixture } from './golden-checkpoints.ts';
import { afterReports, injectIntoWorker } from './worker-faults.ts';

test('a worker that ends in the middle of a run is noticed, and the run goes on to the same statistics', async ({
  page,
}) => {
  const golden = await prepareFixture(`${tmpdir()}/reap-studio-faults`);
  await injectIntoWorker(page, afterReports("report?.type === 'layer' && layers === 2", '() => self.close()'), {
    once: true,
  });
  const studio = await openGolden(page, golden, 'wasm');
  await studio.button('Calibrate').click();
  await expect(page.getByText('The calibration worker stopped: it was ended.')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/finished layers and shards are kept/)).toBeVisible();
  await studio.button('Go on').click();
  await expect(page.getByText(/[12] layers? (?:was|were) taken over from an earlier run/)).toBeVisible();
  await studio.finished();
  await expectFigures(studio, golden);
});

test('without a graphics processor the run goes on in WebAssembly and says so, or says what to do', async ({
  page,
}) => {
  const golden = await prepareFixture(`${tmpdir()}/reap-studio-faults`);
  const studio = await openGolden(page, golden, 'webgpu');
  await studio.button('Calibrate').click();
  await expect(page.getByText(/no graphics processor|has no WebGPU/).first()).toBeVisible();
  await expect(page.getByText(/^Calibrate with WebAssembly/)).toBeVisible();
  await studio.computeWith('auto');
  await studio.calibrate();
  await expect(page.getByText(/no graphics processor|has no WebGPU/).first()).toBeVisible();
  await expect(page.getByText(/WebAssembly, \d+ thread/).first()).toBeVisible();
  await expectFigures(studio, golden);
});
