import { defineConfig, devices } from '@playwright/test';
import { findChromium } from '../tools/chromium.mjs';

// Fixed, so that a server left over is noticed; another one lets two runs stand side by side.
const PORT = Number(process.env['E2E_PORT'] ?? 4187);
const address = `http://127.0.0.1:${PORT}/`;
const executablePath = findChromium();

// Chromium must not reach out by itself: a test counts the requests that leave the machine.
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const chromium = (args: string[]) => ({
  ...devices['Desktop Chrome'],
  // Playwright's own Chromium is asked for by channel: its headless shell has no WebGPU.
  ...(executablePath === undefined ? { channel: 'chromium' } : {}),
  launchOptions: { args, ...(executablePath === undefined ? {} : { executablePath }) },
});

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  retries: 0,
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 15_000 },
  // The JSON report goes where PLAYWRIGHT_JSON_OUTPUT_FILE says.
  reporter: process.env['PLAYWRIGHT_JSON_OUTPUT_FILE'] === undefined ? 'list' : [['list'], ['json']],
  use: { baseURL: address, trace: 'off', screenshot: 'only-on-failure' },
  projects: [
    { name: 'chromium', testIgnore: /\.webgpu\.spec\.ts$/, use: chromium(QUIET) },
    { name: 'webgpu', testMatch: /\.webgpu\.spec\.ts$/, use: chromium([...QUIET, ...SOFTWARE_GPU]) },
  ],
  webServer: {
    command: 'node tools/serve.mjs',
    cwd: new URL('..', import.meta.url).pathname,
    env: { PORT: String(PORT) },
    url: address,
    reuseExistingServer: false,
    timeout: 30_000,
  },
});
