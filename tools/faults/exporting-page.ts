import type { BrowserContext, Page } from '@playwright/test';
import { Studio } from '../../e2e/studio.ts';

/** sha256 of each file of a folder, by name. */
export type FolderHashes = Readonly<Record<string, string>>;

interface Disk {
  /** Write as into a folder on a disk: browsers give direct access to private files alone. */
  readonly asOnDisk?: boolean;
  /** Every opening of a file to write takes this long, as on a slow disk. */
  readonly openMs?: number;
}

const DIRECT_ACCESS = 'FileSystemFileHandle.prototype.createSyncAccessHandle';

function slowed(method: string, ms: number): string {
  return `{
    const open = FileSystemFileHandle.prototype.${method};
    if (open !== undefined) FileSystemFileHandle.prototype.${method} = async function (...args) {
      await new Promise((resolve) => setTimeout(resolve, ${ms}));
      return open.apply(this, args);
    };
  }`;
}

/**
 * Makes folders of the private file system stand in for the one that a person would choose: the picker cannot be answered
 * otherwise. What a disk does is played in front of the export worker's own script; the product holds none of it.
 */
export async function prepareExports(context: BrowserContext, { asOnDisk = false, openMs = 0 }: Disk): Promise<void> {
  await context.addInitScript(`
    window.showDirectoryPicker = async () =>
      (await navigator.storage.getDirectory()).getDirectoryHandle(sessionStorage.getItem('folder') ?? 'picked', { create: true });
  `);
  const code = [
    openMs > 0 ? slowed('createWritable', openMs) + slowed('createSyncAccessHandle', openMs) : '',
    asOnDisk ? `delete ${DIRECT_ACCESS};` : '',
  ].join('\n');
  await context.route(/\/export\.worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code}\n${await response.text()}` });
  });
}

/** The page with the model and the plan open, as from two drops. */
export async function openForExport(page: Page, address: string, model: string, plan: string): Promise<Studio> {
  const studio = new Studio(page);
  await page.goto(address);
  await studio.button('Try the demo').waitFor();
  await studio.drop([model]);
  await studio.button('Calibrate').waitFor();
  await studio.drop([plan]);
  await page.locator('button:enabled', { hasText: 'Export model' }).waitFor();
  await page.getByRole('radio', { name: 'Into a folder' }).check();
  return studio;
}

/** Begins an export into the private folder `folder`. */
export async function beginExport({ page }: Studio, folder: string): Promise<void> {
  await page.evaluate(`sessionStorage.setItem('folder', ${JSON.stringify(folder)})`);
  await page.getByRole('button', { name: 'Export model', exact: true }).click();
}

export async function endOfExport({ page }: Studio): Promise<void> {
  await page.getByRole('status', { name: 'Export result' }).waitFor({ timeout: 600_000 });
}

export function hashesOf(page: Page, folder: string): Promise<FolderHashes> {
  return page.evaluate<FolderHashes>(`(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(${JSON.stringify(folder)});
    const hashes = {};
    for await (const [name, handle] of folder.entries()) {
      const digest = await crypto.subtle.digest('SHA-256', await (await handle.getFile()).arrayBuffer());
      hashes[name] = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }
    return hashes;
  })()`);
}

/** Turns one bit of a file of a private folder. */
export async function turnBit(page: Page, folder: string, file: string, offset: number): Promise<void> {
  await page.evaluate(`(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(${JSON.stringify(folder)});
    const handle = await folder.getFileHandle(${JSON.stringify(file)});
    const byte = new Uint8Array(await (await handle.getFile()).slice(${offset}, ${offset + 1}).arrayBuffer());
    const writable = await handle.createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: ${offset}, data: new Uint8Array([byte[0] ^ 1]) });
    await writable.close();
  })()`);
}
