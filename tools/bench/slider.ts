import { build } from 'vite';
import { percentile, withPage } from './chromium-page.ts';

const ROOT = new URL('./slider-page', import.meta.url).pathname;
const OUT = 'node_modules/.cache/reap-studio/slider-page/';

/** Moves the slider 300 times over a 62 × 256 map in Chromium; script time a move, plan and repaint together. */
export async function run(): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    build: { outDir: new URL(`../../${OUT}`, import.meta.url).pathname, emptyOutDir: true, target: 'esnext' },
  });
  await withPage(OUT, async (page, address) => {
    await page.goto(address);
    await page.waitForFunction(() => 'measure' in globalThis);
    const times = await page.evaluate((): Promise<number[]> => Reflect.get(globalThis, 'measure')());
    const of = (share: number): string => `${percentile(times, share).toFixed(2)} ms`;
    console.log(
      `  ${times.length} moves: median ${of(0.5)}, 95th percentile ${of(0.95)}, worst ${of(1)} (goal: 8 ms at the 95th)`,
    );
  });
}
