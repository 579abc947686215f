#!/usr/bin/env node
import process from 'node:process';
import { dispatch } from './dispatch.ts';

const stop = new AbortController();
// The second Ctrl-C ends the process at once, as everywhere.
process.once('SIGINT', () => stop.abort(new DOMException('stopped', 'AbortError')));

process.exitCode = await dispatch(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  signal: stop.signal,
});
