import { type HubServer, startHubServer } from '../../../tools/hub-server/hub-server.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { sampleBytes } from '../bytes/byte-source-contract.fixture.ts';
import type { HttpAccess } from '../bytes/http-access.ts';
import { HubFolder } from './hub-folder.ts';
import { resolveHub } from './open-hub.ts';

export const TOKEN = 'hf_secret';
export const WEIGHTS = sampleBytes();
export const CONFIG = new TextEncoder().encode('{"model_type":"tiny"}');
const FILES = { 'config.json': CONFIG, 'model.safetensors': WEIGHTS };

/** Test fixture: a hub over real HTTP, with a small model in the open, one behind a token, one gated, and a data set. */
export class HubDesk {
  readonly hub: HubServer;
  /** Commit of the open model. */
  commit = '';
  /** Pauses before further tries, in milliseconds; none is really waited for. */
  waits: number[] = [];
  readonly access: HttpAccess = {
    fetch,
    wait: async (milliseconds, signal) => {
      this.waits.push(milliseconds);
      signal?.throwIfAborted();
    },
  };

  private constructor(hub: HubServer) {
    this.hub = hub;
  }

  static async start(): Promise<HubDesk> {
    const hub = await startHubServer({
      repos: [
        { kind: 'model', id: 'local/tiny', files: FILES },
        { kind: 'model', id: 'local/secret', files: FILES, token: TOKEN },
        { kind: 'model', id: 'local/gated', files: FILES, token: TOKEN, gated: true },
        { kind: 'dataset', id: 'local/text', files: { 'data/train 0.parquet': WEIGHTS } },
      ],
    });
    return new HubDesk(hub);
  }

  /** Back to how it began. */
  reset(): void {
    this.hub.faults.length = 0;
    this.hub.requests.length = 0;
    this.waits = [];
    this.commit = this.hub.addCommit('local/tiny', FILES);
  }

  /** Opens a model. The requests before this are forgotten. */
  async open(repo = 'local/tiny', token?: string, access = this.access): Promise<HubFolder> {
    const query = { repo, endpoint: this.hub.endpoint, ...(token === undefined ? {} : { token }) };
    const { hub, files } = await resolveHub(query, this.access);
    this.hub.requests.length = 0;
    return new HubFolder(hub, files, access);
  }

  async openWeights(access = this.access): Promise<ByteSource> {
    return (await this.open('local/tiny', undefined, access)).open('model.safetensors');
  }

  /** Host, status and Range of every request since a folder was opened. */
  seen(): string[] {
    return this.hub.requests.map(
      ({ onContentHost, status, range }) => `${onContentHost ? 'content' : 'hub'} ${status} ${range}`,
    );
  }
}
