import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeStore } from './node-store.ts';

/** A folder for what does not fit into memory, made when it is asked for and removed with the run. */
export class ScratchFolder {
  #path: string | undefined;

  async open(): Promise<NodeStore> {
    this.#path ??= await mkdtemp(join(tmpdir(), 'reap-studio-'));
    return NodeStore.open(this.#path);
  }

  async remove(): Promise<void> {
    if (this.#path !== undefined) await rm(this.#path, { recursive: true, force: true });
    this.#path = undefined;
  }
}
