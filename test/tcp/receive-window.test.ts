import { expect } from 'chai';
import fc from 'fast-check';
import type { ControlBlock } from '../../src/tcp/control-block.ts';
import { advertiseWindow, currentWindow, windowShiftFor, windowUpdateDue } from '../../src/tcp/receive-window.ts';
import { before, distance } from '../../src/tcp/sequence.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      most: fc.constantFrom(1, 100, 1460, 65_000),
      part: share,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), part: share }) },
  { weight: 1, arbitrary: fc.constant({ do: 'drain' as const }) },
);

interface Receiver {
  rcvNxt: number;
  rcvAdv: number;
  lastAckSent: number;
  rcvMss: number;
  seenMss: number;
  rcvSsthresh: number;
  rcvWindShift: number;
  quickAcks: number;
  settings: { rcvBuf: number; windowClamp: number };
  context: { config: { tcp_shrink_window: boolean }; memory: { pressure: boolean }; counters: Record<string, number> };
  receiveQueue: { length: number };
}

/**
 * Unscaled, whole segments are offered (Linux): what is left stays, as long as there is no room for one more, or nothing is doubled by it.
 * That is less than half only of a buffer that has no room for two.
 */
function leastUnscaled(rcvBuf: number, rcvMss: number): number {
  return rcvMss < rcvBuf ? Math.min(rcvBuf - rcvMss + 1, (rcvBuf - (rcvBuf % rcvMss)) >> 1) : rcvBuf;
}

function receiverOf(start: number, shift: number, rcvBuf: number, rcvMss: number): Receiver {
  return {
    rcvNxt: start,
    rcvAdv: (start + Math.min(rcvBuf, 65_535)) | 0,
    lastAckSent: start,
    rcvMss,
    seenMss: rcvMss,
    rcvSsthresh: 2 ** 30,
    rcvWindShift: shift,
    quickAcks: 0,
    // Half of it is for the bookkeeping.
    settings: { rcvBuf: 2 * rcvBuf, windowClamp: 0 },
    context: { config: { tcp_shrink_window: false }, memory: { pressure: false }, counters: {} },
    receiveQueue: { length: 0 },
  };
}

describe('the receive window', () => {
  it('is never taken back, never larger than the buffer and a unit, and opens again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.integer({ min: 0, max: 14 }),
        fc.constantFrom(2304, 5000, 65_536, 4_194_304),
        fc.constantFrom(28, 536, 1460, 65_495),
        fc.array(step, { maxLength: 60 }),
        (start, shift, rcvBuf, rcvMss, steps) => {
          const receiver = receiverOf(start, shift, rcvBuf, rcvMss);
          const connection = receiver as unknown as ControlBlock;
          const unit = 2 ** shift;
          let edge = receiver.rcvAdv;
          let told = Math.min(rcvBuf, 65_535);
          const acknowledge = () => {
            const field = advertiseWindow(connection);
            receiver.lastAckSent = receiver.rcvNxt;
            expect(field).to.be.within(0, 65_535);
            expect(before(receiver.rcvAdv, edge), 'the edge moved back').to.equal(false);
            edge = receiver.rcvAdv;
            told = field * unit;
            expect(receiver.receiveQueue.length + told).to.be.at.most(rcvBuf + unit);
            // RFC 7323 2.4: the field may say less than was promised, by less than a unit.
            expect(currentWindow(connection) - told).to.be.below(unit);
          };
          for (const each of steps) {
            const { receiveQueue } = receiver;
            if (each.do === 'arrive') {
              const count = Math.floor(each.part * Math.min(each.most, told));
              receiver.rcvNxt = (receiver.rcvNxt + count) | 0;
              receiveQueue.length += count;
              acknowledge();
            } else {
              receiveQueue.length = each.do === 'drain' ? 0 : Math.floor(receiveQueue.length * each.part);
              if (windowUpdateDue(connection)) acknowledge();
            }
            expect(receiveQueue.length).to.be.at.most(rcvBuf + unit);
            expect(distance(receiver.rcvNxt, receiver.rcvAdv)).to.be.at.least(0);
            // Nothing unread, and still next to nothing offered: the peer would wait.
            const worth = Math.min(rcvBuf >> 1, rcvMss, 65_535 * unit);
            if (receiveQueue.length === 0)
              expect(currentWindow(connection)).to.be.at.least(
                Math.min(
                  worth,
                  Math.min(rcvBuf, 65_535 * unit) - worth,
                  unit === 1 ? leastUnscaled(rcvBuf, rcvMss) : worth,
                ),
              );
          }
        },
      ),
      { numRuns: 600 },
    );
  });

  it('opens to a whole segment when all is read, in a buffer that has no room for two', () => {
    const receiver = receiverOf(0, 0, 2304, 1460);
    const connection = receiver as unknown as ControlBlock;
    for (const count of [1000, 900]) {
      receiver.rcvNxt += count;
      receiver.receiveQueue.length += count;
      advertiseWindow(connection);
      receiver.lastAckSent = receiver.rcvNxt;
    }
    receiver.receiveQueue.length = 0;
    expect([currentWindow(connection), windowUpdateDue(connection), advertiseWindow(connection)]).to.deep.equal([
      404,
      true,
      1460,
    ]);
  });

  it('has a shift for the largest buffer (RFC 7323 2.3)', () => {
    expect([0, 65_535, 65_536, 33_554_432, 2 ** 40].map(windowShiftFor)).to.deep.equal([0, 0, 1, 10, 14]);
  });
});
