import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { median, type Row, ratio, table } from '../../bench/report.ts';
import { describeWithTun } from '../support/namespace.ts';

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function row(unit: string, ...values: number[]): Row {
  const measurements = values.map((value) => ({ value, load: 0.5, peer: 1, others: 0 }));
  return { test: 'a test', peer: 'a peer', unit, measurements };
}

/** Runs the rows that match, as short as can be; returns what it wrote. */
async function bench(only: string): Promise<{ text: string; rows: Row[] }> {
  const file = path.join(os.tmpdir(), `tunstack-bench-${process.pid}.json`);
  try {
    const args = [MAIN, '--rounds', '1', '--seconds', '0.05', '--only', only, '--json', file];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    return { text: stdout, rows: (JSON.parse(fs.readFileSync(file, 'utf8')) as { rows: Row[] }).rows };
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function expectMeasured(rows: readonly Row[], peers: readonly string[]): void {
  expect(rows.map(({ peer }) => peer)).to.deep.equal(peers);
  for (const { peer, measurements, failure } of rows) {
    expect(failure, peer).to.equal(undefined);
    expect(measurements[0]?.value, peer).to.be.greaterThan(0);
  }
}

describe('bench: report', () => {
  it('takes the middle of the values, or the middle of the two in the middle', () => {
    expect(median([9, 1, 4])).to.equal(4);
    expect(median([1, 9, 4, 6])).to.equal(5);
  });

  it('has a ratio above 1 for what is better: more throughput, less time', () => {
    expect(ratio(row('Gbit/s', 10), row('Gbit/s', 5))).to.equal(2);
    expect(ratio(row('us', 10), row('us', 5))).to.equal(0.5);
    expect(ratio(row('us', 10), row('us'))).to.equal(undefined);
  });

  it('says why a row is empty, and whose measurements others disturbed', () => {
    const disturbed = row('us', 1);
    disturbed.measurements.push({ value: 2, load: 0, peer: 0, others: 0.2 });
    const text = table([disturbed, { ...row('us'), failure: 'needs root' }]);
    expect(text).to.include('others used the CPU in 1 of 2').and.to.include('needs root');
  });
});

describe('npm run bench', function () {
  this.timeout(25_000);

  it('measures two hosts on a pipe beside node:net', async () => {
    const { text, rows } = await bench('one process.*1 in flight: pipe, offload$');
    expectMeasured(rows, ['node:net, loopback', 'pipe, offload']);
    expect(text).to.match(/Node\.js v\d+/);
  });

  it('says what is wrong with an option', async () => {
    const failure = await promisify(execFile)(process.execPath, [MAIN, '--rounds', 'none']).catch((error) => error);
    expect(failure.code).to.equal(1);
    expect(failure.stderr).to.include('--rounds none');
  });
});

// The load generator enters the server's namespace, which only root may.
const describeAsRoot =
  process.getuid?.() === 0
    ? describeWithTun
    : (title: string, body: () => void) => describe.skip(`${title} [pending: run as root]`, body);

describeAsRoot('npm run bench, with a network', () => {
  it('measures the kernel with a host over TUN, and with node:net over a veth pair', async () => {
    const { rows } = await bench('kernel -> peer, 1 connection: TUN, offload$');
    expectMeasured(rows, ['node:net, veth', 'TUN, offload']);
  });
});
