/** What a run found, as a table of Markdown. */

export interface Measurement {
  readonly value: number;
  readonly p99?: number;
  /** CPUs in use: by the load generator, by the peer, by processes that have nothing to do with it. */
  readonly load: number;
  readonly peer: number;
  readonly others: number;
}

export interface Row {
  readonly test: string;
  readonly peer: string;
  readonly unit: string;
  readonly measurements: Measurement[];
  /** Why there are none, or fewer. */
  failure?: string;
}

/** Others' use of CPUs from which on a measurement is doubtful. */
const DISTURBED = 0.15;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** How much better than the baseline: time and memory are better when they are less. */
export function ratio(row: Row, baseline: Row | undefined): number | undefined {
  if (baseline === undefined || baseline.measurements.length === 0 || row.measurements.length === 0) return undefined;
  const [own, other] = [row, baseline].map(({ measurements }) => median(measurements.map(({ value }) => value)));
  const quotient = (own as number) / (other as number);
  return row.unit === 'us' || row.unit === 'bytes' ? 1 / quotient : quotient;
}

/** The rows of a test stand together; the first of them is its baseline. */
export function table(rows: readonly Row[]): string {
  const head = ['', 'median', 'min .. max', 'unit', 'ratio', 'CPU load', 'CPU peer', ''];
  const lines = [head, head.map((_, i) => (i === 0 || i === 7 ? '---' : '--:'))];
  let baseline: Row | undefined;
  for (const row of rows) {
    if (row.test !== baseline?.test) {
      baseline = row;
      lines.push([`**${row.test}**`, '', '', '', '', '', '', '']);
    }
    lines.push(cells(row, baseline));
  }
  return align(lines);
}

function cells(row: Row, baseline: Row): string[] {
  const { measurements, failure } = row;
  if (measurements.length === 0) return [row.peer, '-', '', row.unit, '', '', '', failure ?? 'not measured'];
  const values = measurements.map(({ value }) => value);
  const times = ratio(row, baseline);
  const disturbed = measurements.filter(({ others }) => others > DISTURBED).length;
  const notes = [
    measurements[0]?.p99 === undefined ? '' : `p99 ${number(median(measurements.map(({ p99 = 0 }) => p99)))} us`,
    disturbed === 0 ? '' : `! others used the CPU in ${disturbed} of ${measurements.length}`,
    failure ?? '',
  ];
  return [
    row.peer,
    number(median(values)),
    `${number(Math.min(...values))} .. ${number(Math.max(...values))}`,
    row.unit,
    times === undefined ? '' : times.toFixed(2),
    share(measurements.map(({ load }) => load)),
    share(measurements.map(({ peer }) => peer)),
    notes.filter((note) => note !== '').join('; '),
  ];
}

function share(values: readonly number[]): string {
  const value = median(values);
  return value === 0 ? '' : `${Math.round(value * 100)} %`;
}

/** Three digits that count, and thousands apart. */
function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}

function align(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  const pad = (cell: string, i: number) => {
    const width = widths[i] ?? 0;
    if (cell === '---') return '-'.repeat(width);
    if (cell === '--:') return `${'-'.repeat(width - 1)}:`;
    return i === 0 || i === 7 ? cell.padEnd(width) : cell.padStart(width);
  };
  return lines.map((line) => `| ${line.map(pad).join(' | ')} |`).join('\n');
}
