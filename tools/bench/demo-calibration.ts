import { withPage } from './chromium-page.ts';

const DOMAINS = ['Python', 'English'];
const TOKENS_A_DOMAIN = 16_384;

/** The page's own journey, as a person clicks it: two domains of 16,384 tokens, from "Calibrate" to the finished map. */
export async function run(): Promise<void> {
  await withPage('dist/', async (page, address) => {
    await page.goto(address);
    await page.getByRole('button', { name: 'Try the demo' }).click();
    const calibrate = page.getByRole('button', { name: 'Calibrate', exact: true });
    await calibrate.waitFor();
    for (const domain of DOMAINS) await page.getByRole('checkbox', { name: domain, exact: true }).check();
    await page.getByText('Advanced', { exact: true }).click();
    await page.getByLabel('Tokens a domain, at most').fill(String(TOKENS_A_DOMAIN));
    await page.getByLabel('Tokens a domain, at most').press('Tab');
    await page.getByLabel('Compute with').selectOption('wasm');
    const start = performance.now();
    await calibrate.click();
    await page.locator('button:enabled', { hasText: 'Export plan' }).waitFor({ timeout: 300_000 });
    const seconds = (performance.now() - start) / 1000;
    const tokens = DOMAINS.length * TOKENS_A_DOMAIN;
    const threads = await page
      .getByText(/WebAssembly, \d+ thread/)
      .first()
      .textContent();
    console.log(
      `  ${seconds.toFixed(1)} s for ${tokens} tokens through 8 layers (${threads}); ${((tokens * 8) / seconds).toFixed(0)} token·layers/s (goal: 60 s)`,
    );
  });
}
