/** Whole connections over bad networks, in virtual time: what must hold whatever the network does. More of them: `npm run soak`. */
import fs from 'node:fs';
import { expect } from 'chai';
import type { Impairment } from '../../src/link/impaired.ts';
import { impaired } from '../../src/link/impaired.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { explain } from '../support/failure.ts';
import { connectedHosts, pattern } from '../support/pair.ts';
import { play, playTwice } from './play.ts';
import { bulk, drawScenario, type Scenario } from './scenario.ts';
import { trySeed } from './seeds.ts';

const SEEDS = 200;
const GROUP = 25;
/** In both directions. */
const BAD: Impairment = { loss: 0.02, reorder: 0.02, duplicate: 0.01, corrupt: 0.001 };

describe('simulated networks', function () {
  this.timeout(120_000);

  for (let from = 0; from < SEEDS; from += GROUP) {
    it(`seeds ${from} to ${from + GROUP - 1}: every byte once and in order, or a reason; nothing is left`, async () => {
      for (let seed = from; seed < from + GROUP; seed++) await trySeed(seed);
    });
  }

  it('2 % loss, 2 % reordering, 1 % duplication, 0.1 % corruption both ways: all arrives, without a stall', async () => {
    for (const sack of [true, false]) {
      const { took, errors } = await playTwiceScenario(
        bulk(`bad ${sack}`, {
          up: 3_000_000,
          down: 3_000_000,
          latency: 10,
          sysctl: { tcp_sack: sack },
          out: BAD,
          in: BAD,
        }),
      );
      expect(errors).to.deep.equal([]);
      // 2 * 3 MB at an RTT of 20 ms; a stall of one RTO at each loss would take ten times as long.
      expect(took, 'virtual ms').to.be.below(sack ? 30_000 : 120_000);
    }
  });

  it('a failure says what, which seed, the last packets, where all of them are, and how to see it again', async () => {
    const scenario = drawScenario('1');
    const error = await explain('1', new Error('broken'), 'npm run soak -- --seed 1', (recording) =>
      play(scenario, recording),
    );
    expect(error.message).to.match(/^seed 1: broken\n[\s\S]*ACK[\s\S]*this one alone: npm run soak -- --seed 1$/);
    const file = /all packets: (.*\.pcapng)/.exec(error.message)?.[1] ?? '';
    expect(fs.statSync(file).size).to.be.above(200);
    fs.rmSync(file);
  });

  it('two seeds differ', async () => {
    const hashes = await Promise.all(['1', '2'].map(async (seed) => (await playTwice(seed)).hash));
    expect(hashes[0]).not.to.equal(hashes[1]);
  });
});

describe('hosts on a simulated network', () => {
  for (const seed of [1, 2, 3]) {
    it(`Go's calls over it, seed ${seed}`, async () => {
      const wrap = (link: Parameters<typeof impaired>[0], end: string) =>
        end === 'client' ? impaired(link, { seed, both: { ...BAD, jitter: 5 } }) : link;
      const pair = connectedHosts({ seed, latency: 10, wrap });
      const { dialled, accepted, listener } = await pair.connect();
      const bytes = pattern(400_000, seed);
      const moved = Promise.all([
        sendAll(dialled, bytes),
        receiveAll(accepted),
        sendAll(accepted, bytes.subarray(0, 100_000)),
        receiveAll(dialled),
      ]);
      const [, up, , down] = await pair.run(moved);
      expect(Buffer.compare(up, bytes)).to.equal(0);
      expect(Buffer.compare(down, bytes.subarray(0, 100_000))).to.equal(0);
      await pair.run(Promise.all([dialled.close(), accepted.close(), listener.close()]));
      await pair.clock.advance(120_000);
      for (const host of [pair.client, pair.server]) expect(host.sockets()).to.deep.equal([]);
      await pair.close();
    });
  }
});

async function playTwiceScenario(scenario: Scenario) {
  const first = await play(scenario);
  expect((await play(scenario)).hash).to.equal(first.hash);
  return first;
}

async function sendAll(conn: TCPConn, bytes: Uint8Array): Promise<void> {
  await conn.write(bytes);
  await conn.closeWrite();
}

async function receiveAll(conn: TCPConn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const into = new Uint8Array(50_000);
  for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
    parts.push(into.slice(0, count));
  }
  return Buffer.concat(parts);
}
