const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const MAGNITUDES = ['', ' K', ' M', ' B', ' T'] as const;

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Bytes in decimal units with three digits: 23430144 → "23.4 MB". */
export function formatBytes(bytes: number): string {
  const { digits, step } = scaled(bytes, UNITS.length - 1);
  return `${step === 0 ? grouped.format(bytes) : digits} ${UNITS[step] ?? ''}`;
}

/** A large count with three digits: 14750464 → "14.8 M", 1234 → "1,234". */
export function formatCount(count: number): string {
  if (Math.abs(count) < 10_000) return grouped.format(count);
  const { digits, step } = scaled(count, MAGNITUDES.length - 1);
  return `${digits}${MAGNITUDES[step] ?? ''}`;
}

/** A whole number with thousands apart: 32768 → "32,768". */
export function formatWhole(count: number): string {
  return grouped.format(count);
}

/** A share in 0..1: 0.25 → "25 %", with decimals 0.9312 → "93.1 %". */
export function formatPercent(share: number, decimals = 0): string {
  return `${(share * 100).toFixed(decimals)} %`;
}

/** Seconds as a person says them: "8 s", "2 min 5 s", "1 h 12 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A measured value with four significant digits; very small and large ones by exponent. */
export function formatMeasure(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replace('e', ' e').replace('+', '');
  if (size >= 1000) return grouped.format(value);
  return value.toPrecision(4);
}

/** Three significant digits and the thousands step, so that 999.9 rises to the next unit rather than read "1000". */
function scaled(value: number, largestStep: number): { readonly digits: string; readonly step: number } {
  let step = 0;
  let rest = value;
  while (step < largestStep && Number(Math.abs(rest).toPrecision(3)) >= 1000) {
    rest /= 1000;
    step++;
  }
  const size = Math.abs(rest);
  return { digits: rest.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2), step };
}
