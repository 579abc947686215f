import { parentPort } from 'node:worker_threads';
import { answerRequest, type ConvertReply, type ConvertRequest } from '../core/calibration/thread-converter.ts';

/** The thread that decodes weights beside the command line's own; started by start-converter.ts. */
const port = parentPort;
if (port === null) throw new Error('This file runs in a thread of its own.');
port.on('message', (request: ConvertRequest) => {
  const { reply, transfer } = answerRequest(request);
  port.postMessage(reply, transfer);
});
const ready: ConvertReply = { kind: 'ready' };
port.postMessage(ready);
