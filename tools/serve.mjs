import { join } from 'node:path';
import { ROOT } from './setup.mjs';
import { createStaticServer, listenOnLoopback } from './static-server.mjs';

// Serves dist/ as it is, on exactly PORT: for tests, which need a fixed address.
const port = Number(process.env['PORT'] ?? 4173);
const server = await createStaticServer(join(ROOT, 'dist'));
const found = await listenOnLoopback(server, port, 1);
console.log(`http://127.0.0.1:${found}/`);
