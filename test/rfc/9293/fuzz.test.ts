/**
 * Any segment at any moment: nothing throws, the counters count, the invariants of the control block hold, and in the end all memory is
 * given back. 20,000 segments, from a seed that a failure prints.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { SHUT_WR } from '../../../src/socket/constants.ts';
import type { ControlBlock } from '../../../src/tcp/control-block.ts';
import type { Injected, WirePeer } from '../../support/wire-peer.ts';
import { inState, type StateName } from '../../support/wire-states.ts';

const STATES: StateName[] = [
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];
const RUNS = 500;
const SEGMENTS = 40;

/** Mostly near to what is next, sometimes anywhere. */
const number = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 3, arbitrary: fc.integer({ min: -3000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer() },
);
const flags = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('A', 'PA', 'FA', 'FPA') },
  { weight: 2, arbitrary: fc.constantFrom('S', 'SA', 'R', 'RA', 'UA', '') },
  { weight: 1, arbitrary: fc.subarray([...'FSRPAUECN']).map((letters) => letters.join('')) },
);
const segment = fc.record({
  seqFromNext: number,
  ackFromNext: number,
  flags,
  length: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  ),
  win: fc.oneof(fc.constantFrom(0, 1, 65_535), fc.integer({ min: 0, max: 65_535 })),
  urg: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 65_535 }) },
  ),
  sack: fc.array(fc.tuple(number, number), { maxLength: 3 }),
  stamped: fc.boolean(),
  raw: fc.oneof(
    { weight: 8, arbitrary: fc.constant([] as number[]) },
    { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 }) },
  ),
  /** What the user does, and how long time passes, before it comes. */
  user: fc.constantFrom('nothing', 'nothing', 'read', 'write', 'read', 'shutdown', 'close'),
  wait: fc.constantFrom(0, 0, 0, 1, 40, 250, 1000),
});
type Generated = typeof segment extends fc.Arbitrary<infer T> ? T : never;

describe('RFC 9293 3.10.7: any segment in any state', () => {
  it(`${RUNS * SEGMENTS} segments`, async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...STATES),
        fc.boolean(),
        fc.array(segment, { minLength: SEGMENTS, maxLength: SEGMENTS }),
        async (state, plain, segments) => {
          const options = plain ? {} : { options: { mss: 1460, sackOk: true, ts: [1000, 0] as const, wscale: 2 } };
          const t = await inState(state, options);
          await play(t, segments);
        },
      ),
      { numRuns: RUNS, seed: 9293 },
    );
  });
});

async function play(t: WirePeer, segments: readonly Generated[]): Promise<void> {
  const { counters } = t.stack.tcp;
  let sentBefore = counters.OutSegs;
  let [seq, ack] = [1, 1];
  for (const each of segments) {
    act(t, each.user);
    if (each.wait > 0) await t.advance(each.wait);
    const received = counters.InSegs;
    t.inject(wireOf(each, seq, ack));
    if (counters.InSegs !== received + 1) throw new Error('InSegs did not count');
    const sent = t.drain();
    for (const { seq: dutSeq, length, ack: dutAck, flags: dutFlags } of sent) {
      if (dutFlags.includes('R')) continue;
      ack = Math.max(ack, (dutSeq + length) | 0);
      if (dutFlags.includes('A')) seq = dutAck;
    }
    if (counters.OutSegs - sentBefore !== sent.length) throw new Error('OutSegs did not count');
    sentBefore = counters.OutSegs;
    for (const entry of t.stack.demux.entries()) if (entry.kind === 0) checkInvariants(entry);
  }
  expect(t.close()).to.equal(0);
  expect(t.stack.sockets()).to.deep.equal([]);
}

function wireOf(each: Generated, seq: number, ack: number): Injected {
  const options: NonNullable<Injected['options']> = {
    ...(each.sack.length > 0 && each.raw.length === 0
      ? { sack: each.sack.map(([left, right]) => [(ack + left) | 0, (ack + right) | 0] as const) }
      : {}),
    ...(each.raw.length > 0 ? { raw: each.raw } : {}),
    ...(each.stamped ? {} : { ts: undefined }),
  };
  const { length, win, urg } = each;
  return {
    seq: (seq + each.seqFromNext) | 0,
    ack: (ack + each.ackFromNext) | 0,
    flags: each.flags,
    length,
    win,
    urg,
    options,
  };
}

function act(t: WirePeer, what: Generated['user']): void {
  const accepted = t.listener?.poll() === 1 ? t.accept() : undefined;
  const socket = accepted ?? socketOf(t);
  if (socket === undefined) return;
  if (what === 'read') socket.recv(new Uint8Array(500));
  if (what === 'write') socket.send(new Uint8Array(2000));
  if (what === 'shutdown') socket.shutdown(SHUT_WR);
  if (what === 'close') socket.close();
}

function socketOf(t: WirePeer): WirePeer['socket'] | undefined {
  try {
    return t.socket;
  } catch {
    return undefined;
  }
}

/** What RFC 9293 3.3.1 and 3.4 say of the variables, whatever has come. */
function checkInvariants(connection: ControlBlock): void {
  const { sndUna, sndNxt, rcvNxt, rcvAdv, lastAckSent, runs, sendQueue, settings } = connection;
  must(((sndNxt - sndUna) | 0) >= 0, 'SND.UNA =< SND.NXT');
  must(((rcvAdv - rcvNxt) | 0) >= 0, 'RCV.NXT =< RCV.NXT + RCV.WND');
  must(((rcvNxt - lastAckSent) | 0) >= 0, 'what was acknowledged is below RCV.NXT');
  must(((connection.sendEnd - sndNxt) | 0) >= 0, 'nothing is sent that was not queued');
  must(
    runs.packetsOut >= 0 && runs.sackedOut >= 0 && runs.lostOut >= 0 && runs.retransOut >= 0,
    'counts are not negative',
  );
  must(runs.sackedOut + runs.lostOut <= runs.packetsOut, 'a segment is SACKed or lost, not both');
  must(sendQueue.length <= settings.sndBuf, 'the send buffer has a bound');
  must(connection.cwnd >= 1, 'cwnd is one segment at least');
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}
