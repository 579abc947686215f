import { answerRequest, type ConvertReply, type ConvertRequest } from '../src/core/calibration/thread-converter.ts';

addEventListener('message', ({ data }: MessageEvent<ConvertRequest>) => {
  const { reply, transfer } = answerRequest(data);
  postMessage(reply, { transfer });
});
const ready: ConvertReply = { kind: 'ready' };
postMessage(ready);
