import { expect, test } from 'vitest';
import { TransferMeter } from './transfer-meter.ts';

function meterAt(): { readonly meter: TransferMeter; wait(milliseconds: number): void } {
  let now = 1000;
  return {
    meter: new TransferMeter(() => now),
    wait: (milliseconds) => {
      now += milliseconds;
    },
  };
}

test('knows nothing before the first byte', () => {
  const { meter, wait } = meterAt();
  wait(1000);
  expect([meter.bytes, meter.bytesPerSecond()]).toEqual([0, 0]);
});

test('gives the mean since the first byte while that is recent', () => {
  const { meter, wait } = meterAt();
  meter.add(1000);
  wait(500);
  meter.add(1000);
  wait(500);
  expect([meter.bytes, meter.bytesPerSecond()]).toEqual([2000, 2000]);
});

test('gives the rate of the last five seconds, however much came before', () => {
  const { meter, wait } = meterAt();
  meter.add(1_000_000);
  for (let second = 0; second < 20; second += 1) {
    wait(1000);
    meter.add(300);
  }
  expect(meter.bytes).toBe(1_006_000);
  expect(meter.bytesPerSecond()).toBeCloseTo(360, 6);
});

test('falls to nothing when nothing comes any more', () => {
  const { meter, wait } = meterAt();
  meter.add(1000);
  wait(5001);
  expect([meter.bytes, meter.bytesPerSecond()]).toEqual([1000, 0]);
});
