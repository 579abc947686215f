import { isAbortError } from '../core/base/abort.ts';
import { isStudioError, toWireError } from '../core/base/errors.ts';
import { type CliIo, EXIT } from './cli-io.ts';
import { COMMANDS } from './command-table.ts';

/** The whole usage text. */
export function usageText(): string {
  const lines = [...COMMANDS.values()].map(({ usage }) => `  ${usage}`);
  return `Usage: reap-studio COMMAND …\n\n${lines.join('\n')}\n\nMODEL is a folder with config.json and .safetensors files. Exit code: 0 done, 1 refused or failed, 2 wrong usage.\n`;
}

/** An export always leaves what it finished; a calibration does where it was given a folder for it. */
function keepsWork(usage: string, argv: readonly string[]): boolean {
  return usage.includes('[--resume]') || argv.includes('--resume');
}

function report(error: unknown, usage: string, argv: readonly string[], io: CliIo): number {
  const json = argv.includes('--json');
  const code = isStudioError(error, 'usage') ? EXIT.usage : EXIT.failed;
  if (isAbortError(error)) {
    const message = keepsWork(usage, argv) ? 'stopped; run again with --resume' : 'stopped; nothing of it was kept';
    if (json) io.stdout(`${JSON.stringify({ error: { code: 'stopped', message } })}\n`);
    io.stderr(`${message}\n`);
    return code;
  }
  const wire = toWireError(error);
  const nextStep =
    wire.family === 'internal' ? 'This is a fault of the program: report it with the message above.' : wire.nextStep;
  if (json) io.stdout(`${JSON.stringify({ error: { ...wire, nextStep } })}\n`);
  if (code === EXIT.usage) io.stderr(`usage: reap-studio ${usage}\n`);
  io.stderr(`${wire.message}\n${nextStep}\n`);
  return code;
}

/** Runs the command that `argv` names and gives the process's exit code. Never throws. */
export async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    (name === undefined ? io.stderr : io.stdout)(usageText());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    io.stderr(`${usageText()}\nThere is no command "${name}".\n`);
    return EXIT.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.stdout(`usage: reap-studio ${command.usage}\n`);
    return EXIT.ok;
  }
  try {
    const { run } = await command.load();
    return await run(rest, io);
  } catch (error) {
    return report(error, command.usage, rest, io);
  }
}
