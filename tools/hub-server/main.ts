import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { startHubServer } from './hub-server.ts';

// Serves each folder given as the model `local/NAME`, at http://127.0.0.1:PORT (4599 when PORT is not set).
const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('Usage: npx tsx tools/hub-server/main.ts FOLDER…');
  process.exit(2);
}
const repos = folders.map((folder) => {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const files = new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(join(folder, '/').length), path];
    }),
  );
  return { kind: 'model' as const, id: `local/${basename(resolve(folder))}`, files };
});
const hub = await startHubServer({ repos, port: Number(process.env['PORT'] ?? 4599) });
console.log(`${repos.map(({ id }) => `hf:${id}`).join(' ')} at HF_ENDPOINT=${hub.endpoint}`);
