/**
 * `npm run bench`: tunstack against the kernel over TUN, with itself over a pipe, and node:net beside it, in one run, alternating.
 * docs/benchmarks.md says what each row means.
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { tunAccessProblem } from '../src/link/tun-namespace.ts';
import { stopChildren } from './child.ts';
import { cpuTimes, cpuUse, machineLine } from './machine.ts';
import { type Peer, plan, type Test } from './plan.ts';
import { type Row, table } from './report.ts';

const HELP = `npm run bench -- [options]
  --quick          one round of half a second each: about 30 s in all
  --rounds N       how often everything is measured, in turn; the table shows medians (default 3)
  --seconds S      how long one measurement takes (default 2)
  --only REGEX     only rows whose "test: peer" matches; the baseline of a test stays
  --json FILE      write every single measurement there
  --help
`;

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly only: RegExp | undefined;
  readonly json: string | undefined;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  const seconds = Number(values.seconds ?? (values.quick ? 0.5 : 2));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds ${values.rounds}: a whole number from 1 on is taken`);
  if (!(seconds >= 0.05 && seconds <= 60)) throw new Error(`--seconds ${values.seconds}: 0.05 to 60 are taken`);
  return { rounds, seconds, only: values.only === undefined ? undefined : new RegExp(values.only), json: values.json };
}

function whyNoNetwork(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root: sudo npm run bench';
  return tunAccessProblem();
}

/** The peers of a test that were asked for, and the baseline they are compared with. */
function selected(test: Test, only: RegExp | undefined): Peer[] {
  const wanted = test.peers.filter((peer) => only === undefined || only.test(`${test.title}: ${peer.name}`));
  const baseline = test.peers[0] as Peer;
  return wanted.length === 0 || wanted.includes(baseline) ? wanted : [baseline, ...wanted];
}

async function measure(test: Test, peer: Peer, row: Row, seconds: number): Promise<void> {
  try {
    if (test.fresh === true) peer.stop();
    await peer.start();
    const pids = peer.processes.map(({ pid }) => pid);
    const before = cpuTimes(pids);
    const { value, p99, cpu } = await test.run(peer, seconds);
    const { of, others } = cpuUse(before, cpuTimes(pids));
    const peerCpu = of(pids[0] as number);
    row.measurements.push({ value, ...(p99 === undefined ? {} : { p99 }), load: cpu, peer: peerCpu, others });
  } catch (error) {
    row.failure = (error as Error).message.split('\n', 1)[0] ?? 'failed';
    peer.stop();
    process.exitCode = 1;
  }
}

async function run(settings: Settings): Promise<Row[]> {
  const missing = whyNoNetwork();
  const jobs = plan(missing).flatMap((test) =>
    selected(test, settings.only).map((peer) => {
      const row: Row = { test: test.title, peer: peer.name, unit: test.unit, measurements: [] };
      if (peer.missing !== undefined) row.failure = peer.missing;
      return { test, peer, row };
    }),
  );
  for (let round = 1; round <= settings.rounds; round++) {
    for (const { test, peer, row } of jobs) {
      if (peer.missing !== undefined) continue;
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Kround ${round}: ${test.title}: ${peer.name}`);
      await measure(test, peer, row, settings.seconds);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return jobs.map(({ row }) => row);
}

async function main(): Promise<void> {
  const settings = readSettings();
  const command = `npm run bench -- --rounds ${settings.rounds} --seconds ${settings.seconds}${settings.only === undefined ? '' : ` --only '${settings.only.source}'`}`;
  const rows = await run(settings);
  if (rows.length === 0) throw new Error(`--only ${settings.only?.source}: no row matches`);
  console.log(`${machineLine()}\n${command}\n\n${table(rows)}`);
  if (settings.json !== undefined) {
    fs.writeFileSync(settings.json, `${JSON.stringify({ machine: machineLine(), command, rows }, undefined, 2)}\n`);
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    stopChildren();
    process.exit(code);
  });
}
try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  stopChildren();
}
