import { expect, type Page } from '@playwright/test';
import { Studio } from './studio.ts';

/** The dialog that opens repositories, as a person works it. */
export class RepoDialog {
  readonly studio: Studio;
  readonly #endpoint: string;

  constructor(page: Page, endpoint: string) {
    this.studio = new Studio(page);
    this.#endpoint = endpoint;
  }

  get dialog() {
    return this.studio.page.getByRole('dialog', { name: 'Open a repository of the hub' });
  }

  get token() {
    return this.dialog.getByLabel('Access token');
  }

  async ask(name: string): Promise<void> {
    await this.studio.button('Open repo').click();
    await this.dialog.getByText('Advanced').click();
    await this.dialog.getByLabel('Endpoint').fill(this.#endpoint);
    await this.again(name);
  }

  async again(name: string): Promise<void> {
    await this.dialog.getByLabel('Repository').fill(name);
    await this.dialog.getByLabel('Repository').press('Enter');
  }
}

/** Terms and figures of the model card. */
export async function cardFacts(page: Page): Promise<Record<string, string>> {
  const card = page.getByRole('region', { name: 'Model', exact: true });
  await expect(card.getByText('Experts a layer')).toBeVisible({ timeout: 30_000 });
  const terms = await card.getByRole('term').allInnerTexts();
  const figures = await card.getByRole('definition').allInnerTexts();
  return Object.fromEntries(terms.map((term, index) => [term, figures[index] ?? '']));
}

/** Everything that the page left anywhere: storage of every kind, the address, the document. */
export async function keptByPage(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const databases = (await indexedDB.databases()).map(
      ({ name = '' }) =>
        new Promise<unknown[]>((resolve, reject) => {
          const request = indexedDB.open(name);
          request.onerror = () => reject(request.error);
          request.onsuccess = async () => {
            const values: unknown[] = [];
            for (const store of request.result.objectStoreNames) {
              const all = request.result.transaction(store).objectStore(store).getAll();
              values.push(await new Promise((done) => (all.onsuccess = () => done(all.result))));
            }
            request.result.close();
            resolve(values);
          };
        }),
    );
    const files: string[] = [];
    const walk = async (folder: FileSystemDirectoryHandle): Promise<void> => {
      for await (const entry of folder.values()) {
        files.push(entry.name);
        if (entry.kind === 'directory') await walk(entry);
        else files.push(await (await entry.getFile()).text());
      }
    };
    await walk(await navigator.storage.getDirectory());
    return JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      document.cookie,
      location.href,
      await Promise.all(databases),
      files,
      history.state,
      document.documentElement.outerHTML,
    ]);
  });
}
