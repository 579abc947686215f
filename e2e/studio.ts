import { readFile } from 'node:fs/promises';
import { expect, type Page } from '@playwright/test';

/** The page as a person works it: everything by accessible name. */
export class Studio {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(name: string) {
    return this.page.getByRole('button', { name, exact: true });
  }

  get progress() {
    return this.page.getByRole('progressbar', { name: 'Calibration' });
  }

  get slider() {
    return this.page.getByRole('slider', { name: 'Compression ratio' });
  }

  get planSummary() {
    return this.page.getByRole('status', { name: 'Plan summary' });
  }

  async openDemo(): Promise<void> {
    await this.page.goto('/');
    await this.button('Try the demo').click();
    await expect(this.button('Calibrate')).toBeEnabled({ timeout: 30_000 });
  }

  /** Drops real folders and files of this machine, as the file manager would. */
  async drop(paths: readonly string[]): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
    }
  }

  /** Opens "Advanced" when it is closed and sets one of its fields. */
  async advanced(): Promise<void> {
    const summary = this.page.getByText('Advanced', { exact: true });
    if (!(await this.page.getByLabel('Sequence length').isVisible())) await summary.click();
  }

  async limitTokens(tokens: number): Promise<void> {
    await this.advanced();
    const field = this.page.getByLabel('Tokens a domain, at most');
    await field.fill(String(tokens));
    await field.press('Tab');
  }

  async computeWith(choice: 'auto' | 'webgpu' | 'wasm'): Promise<void> {
    await this.advanced();
    await this.page.getByLabel('Compute with').selectOption(choice);
  }

  async chooseTexts(paths: readonly string[]): Promise<void> {
    await this.page.getByLabel('Text files').setInputFiles([...paths]);
  }

  async calibrate(): Promise<void> {
    await this.button('Calibrate').click();
    await this.finished();
  }

  async finished(): Promise<void> {
    await expect(this.button('Export plan')).toBeEnabled({ timeout: 150_000 });
  }

  async setRatio(percent: number): Promise<void> {
    await this.slider.fill(String(percent));
  }

  /** Clicks a button that downloads, and gives the file's name and bytes. */
  async download(button: string): Promise<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download', { timeout: 90_000 }),
      this.button(button).click(),
    ]);
    return { name: download.suggestedFilename(), bytes: new Uint8Array(await readFile(await download.path())) };
  }
}
