import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildIsFresh } from './freshness.mjs';
import { installDependencies, npm, ROOT } from './setup.mjs';
import { createStaticServer, listenOnLoopback } from './static-server.mjs';

const DEFAULT_PORT = 4173;

/** The system's own command that opens an address, where there is a screen to open it on. */
function opener() {
  if (process.env['CI'] !== undefined) return undefined;
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  return process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'] ? ['xdg-open'] : undefined;
}

/** @param {string} address */
function openBrowser(address) {
  const [command, ...args] = opener() ?? [];
  if (command === undefined) return;
  const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true });
  // The address is printed already: a missing xdg-open is no failure.
  child.on('error', () => undefined);
  child.unref();
}

async function start() {
  const port = Number(process.env['PORT'] ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`PORT is "${process.env['PORT']}". Set it to a whole number from 1 to 65535.`);
  }
  installDependencies();
  if (!buildIsFresh(ROOT) && !npm(['run', '--silent', 'build'])) {
    throw new Error('The build failed: see the lines above.');
  }
  const server = await createStaticServer(join(ROOT, 'dist'));
  const address = `http://127.0.0.1:${await listenOnLoopback(server, port)}/`;
  console.log(`\n  REAP Studio is at ${address}\n  Stop it with Ctrl+C.\n`);
  openBrowser(address);
}

start().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
