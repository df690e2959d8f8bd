/**
 * `npm run soak -- --seeds 1000 [--from N]`, or `-- --seed N` for one: simulated connections over bad networks (test/sim), each
 * played twice. `-- --packets 2000000 [--from N]`: random segments to a host, a hundred a seed. `-- --fuzz 10000000 [--from N]`: random packets of every protocol,
 * two thousand a seed, and DNS messages. The exit status says whether all held; the first failures are printed whole.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { command, dist, SetupError, setup } from './setup.mjs';

/** Failures that are printed in full. */
const SHOWN = 3;
/** Random packets of a seed. */
const PACKETS = 100;
/** Packets of a seed of every protocol, and DNS lookups beside them. */
const FUZZ = { packets: 2000, lookups: 20 };

await command(async () => {
  const { from, to, packets: wanted, fuzz } = range();
  setup();
  process.setSourceMapsEnabled(true);
  if (wanted > 0) return soakPackets(from, wanted);
  if (fuzz > 0) return soakFuzz(from, fuzz);
  const { trySeed } = await import(pathToFileURL(path.join(dist, 'test/sim/seeds.js')).href);
  const failed = [];
  const errors = {};
  let packets = 0;
  let virtual = 0;
  const start = performance.now();
  for (let seed = from; seed < to; seed++) {
    try {
      const result = await trySeed(seed);
      packets += result.packets;
      virtual += result.took;
      for (const error of Object.values(result.errors))
        if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
    } catch (error) {
      failed.push(seed);
      console.error(failed.length <= SHOWN ? `\n${error.message}\n` : error.message.split('\n', 1)[0]);
    }
    if ((seed - from + 1) % 500 === 0) console.log(`${seed - from + 1} seeds, ${failed.length} failed`);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${to - from} seeds twice in ${seconds} s: ${packets} packets, ${(virtual / 3_600_000).toFixed(1)} h of virtual time`,
  );
  console.log(`connections that rightly ended with an error: ${JSON.stringify(errors)}`);
  if (failed.length === 0) return;
  console.log(`failed: ${failed.join(' ')}`);
  process.exitCode = 1;
});

async function soakPackets(from, wanted) {
  const { playPackets } = await import(pathToFileURL(path.join(dist, 'test/sim/packets.js')).href);
  const failed = [];
  const runs = Math.ceil(wanted / PACKETS);
  for (let seed = from; seed < from + runs; seed++) {
    try {
      await playPackets(String(seed), PACKETS);
    } catch (error) {
      failed.push(seed);
      console.error(failed.length <= SHOWN ? `\n${error.message}\n` : error.message.split('\n', 1)[0]);
    }
    if ((seed - from + 1) % 2000 === 0) console.log(`${seed - from + 1} seeds, ${failed.length} failed`);
  }
  console.log(`${runs * PACKETS} random packets`);
  if (failed.length === 0) return;
  console.log(`failed: ${failed.join(' ')}`);
  process.exitCode = 1;
}

async function soakFuzz(from, wanted) {
  const { emptyReport, playFuzz } = await import(pathToFileURL(path.join(dist, 'test/sim/fuzz.js')).href);
  const { playDns } = await import(pathToFileURL(path.join(dist, 'test/sim/fuzz-dns.js')).href);
  const failed = [];
  const report = emptyReport();
  let messages = 0;
  const runs = Math.ceil(wanted / FUZZ.packets);
  for (let seed = from; seed < from + runs; seed++) {
    try {
      await playFuzz(String(seed), FUZZ.packets, report);
      messages += await playDns(String(seed), FUZZ.lookups);
    } catch (error) {
      failed.push(seed);
      console.error(
        failed.length <= SHOWN ? `\n${error.message}\n${error.cause?.stack}\n` : error.message.split('\n', 1)[0],
      );
    }
    if ((seed - from + 1) % 500 === 0) console.log(`${seed - from + 1} seeds, ${failed.length} failed`);
  }
  const seen = (counts) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  console.log(
    `${runs * FUZZ.packets} random packets, ${messages} DNS messages; at most ${report.mostChunks} chunks were held`,
  );
  console.log(`counted: ${seen(report.counters)}`);
  console.log(`dropped: ${seen(report.drops)}`);
  if (failed.length === 0) return;
  console.log(`failed: ${failed.join(' ')}`);
  process.exitCode = 1;
}

function range() {
  const options = {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string' },
    packets: { type: 'string', default: '0' },
    fuzz: { type: 'string', default: '0' },
  };
  try {
    const { values } = parseArgs({ options });
    if (values.seed !== undefined)
      return { from: natural(values.seed), to: natural(values.seed) + 1, packets: 0, fuzz: 0 };
    const from = natural(values.from);
    return { from, to: from + natural(values.seeds), packets: natural(values.packets), fuzz: natural(values.fuzz) };
  } catch (error) {
    throw new SetupError(
      `${error.message}. Usage: npm run soak -- [--seeds 1000] [--from 0] | --seed N | --packets N | --fuzz N`,
    );
  }
}

function natural(text) {
  if (!/^\d+$/.test(text)) throw new Error(`${text} is not a number of 0 or more`);
  return Number(text);
}
