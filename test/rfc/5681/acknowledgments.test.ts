/** RFC 5681 4.2, RFC 9293 3.8.6.3: when the receiver of data acknowledges, with Linux's quick and delayed acknowledgments. */
import { expect } from 'chai';
import { TCP_WINDOW_CLAMP } from '../../../src/socket/constants.ts';
import { establishedAfter } from '../../support/wire-info.ts';
import { established, type WirePeer } from '../../support/wire-peer.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

/** After the quick acknowledgments: segment 16 is the next. */
async function settled(t: WirePeer): Promise<WirePeer> {
  // The window has no room to grow by itself: growth is told at once.
  t.socket.setsockopt(6, TCP_WINDOW_CLAMP, 64_240);
  for (let i = 0; i < 16; i++) {
    t.inject({ seq: at(i), length: MSS });
    t.expect({ ack: at(i + 1), length: 0 });
  }
  t.read();
  return t;
}

describe('RFC 5681 4.2: acknowledgments', () => {
  it('while the connection is young, every segment is acknowledged at once (Linux: 16)', async () => {
    const t = await settled(await established());
    t.inject({ seq: at(16), length: MSS });
    t.expectNothing();
    await t.advance(40);
    t.expect({ ack: at(17) });
  });

  it('[SHLD-18], [SHLD-19] every second full segment is acknowledged at once', async () => {
    const t = await settled(await established());
    for (let i = 16; i < 26; i += 2) {
      t.inject({ seq: at(i), length: MSS });
      t.expectNothing();
      t.inject({ seq: at(i + 1), length: MSS });
      t.expect({ ack: at(i + 2), length: 0 });
    }
  });

  it('[MUST-58], [MUST-59] a batch of segments is acknowledged once', async () => {
    const t = await settled(await established());
    t.injectAll(Array.from({ length: 6 }, (_, i) => ({ seq: at(16 + i), length: MSS })));
    t.expect({ ack: at(22) });
    t.expectNothing();
  });

  it('a super-segment counts as its pieces: of two or more it is acknowledged at once', async () => {
    const t = await settled(await established());
    t.inject({ seq: at(16), length: 3 * MSS, segmentSize: MSS });
    t.expect({ ack: at(19) });
    // It has not raised what a full segment is.
    t.inject({ seq: at(19), length: 2 * MSS, segmentSize: MSS });
    t.expect({ ack: at(21) });
    t.inject({ seq: at(21), length: MSS });
    t.expectNothing();
  });

  it('a full segment is what a piece of them is', async () => {
    const t = await established();
    let next = 1;
    for (let i = 0; i < 16; i++) {
      t.inject({ seq: next, length: 3000, segmentSize: 1000 });
      next += 3000;
      t.expect({ ack: next });
    }
    t.read();
    t.inject({ seq: next, length: 600 });
    t.expectNothing();
    t.inject({ seq: next + 600, length: 600 });
    t.expect({ ack: next + 1200 });
  });

  it('[MUST-40] otherwise within 500 ms: 40 ms at first, then twice that after each time it ran out, no more than the round trip (Linux)', async () => {
    const t = await settled(await establishedAfter(150));
    let next = at(16);
    // Gaps longer than the delay and shorter than the RTO (150 + 4 * 75 ms).
    for (const delay of [40, 80, 150, 150, 150]) {
      t.inject({ seq: next++, length: 1 });
      await t.advance(delay - 1);
      t.expectNothing();
      await t.advance(1);
      t.expect({ ack: next });
      await t.advance(400 - delay);
    }
    expect(t.counters.DelayedACKs).to.equal(5);
  });

  it('after data that came quickly the delay is short again', async () => {
    const t = await settled(await establishedAfter(150));
    let next = at(16);
    for (const delay of [40, 80]) {
      t.inject({ seq: next++, length: 1 });
      await t.advance(delay);
      t.expect({ ack: next });
      await t.advance(400 - delay);
    }
    // ato 160: 10 ms after the last segment it becomes 160 / 2 + 40 / 2.
    t.inject({ seq: next++, length: 1 });
    await t.advance(10);
    t.inject({ seq: next++, length: 1 });
    t.write('a');
    t.expect({ ack: next, data: 'a' });
    t.inject({});
    await t.advance(300);
    t.inject({ seq: next++, length: 1 });
    await t.advance(99);
    t.expectNothing();
    await t.advance(1);
    t.expect({ ack: next });
  });

  it('data carries the acknowledgment that waits', async () => {
    const t = await settled(await established());
    t.inject({ seq: at(16), length: 100 });
    t.expectNothing();
    t.write('answer');
    t.expect({ ack: at(16) + 100, data: 'answer' });
    await t.advance(1000);
    expect(t.drain().filter(({ length }) => length === 0)).to.deep.equal([]);
  });

  it('an application that answers makes acknowledgments wait for its answers (ping-pong)', async () => {
    const t = await established();
    t.inject({ data: 'a' });
    t.expect({ ack: 2, length: 0 });
    t.write('A');
    t.expect({ data: 'A' });
    t.inject({ data: 'b' });
    t.expectNothing();
    await t.advance(20);
    t.write('B');
    t.expect({ ack: 3, data: 'B' });
    t.inject({ data: 'c' });
    // It does not answer this time: the delay runs out, and the conversation is none any more.
    await t.advance(39);
    t.expectNothing();
    await t.advance(1);
    t.expect({ ack: 4, length: 0 });
    t.inject({ data: 'd' });
    t.expect({ ack: 5, length: 0 });
  });

  it('after the peer was idle, acknowledgments are quick again: it starts slowly', async () => {
    const t = await settled(await establishedAfter(100));
    await t.advance(1000);
    t.inject({ seq: at(16), length: MSS });
    t.expect({ ack: at(17) });
    t.inject({ seq: at(17), length: MSS });
    t.expect({ ack: at(18) });
  });

  it('out of order: at once, one duplicate for each segment', async () => {
    const t = await settled(await established());
    for (const i of [18, 19, 20, 21]) {
      t.inject({ seq: at(i), length: MSS });
      t.expect({ ack: at(16), length: 0 });
    }
    t.expectNothing();
  });

  it('out of order in one batch: one duplicate for each, as the sender counts them', async () => {
    const t = await settled(await established());
    t.injectAll([17, 18, 19].map((i) => ({ seq: at(i), length: MSS })));
    for (let i = 0; i < 3; i++) t.expect({ ack: at(16) });
    t.expectNothing();
  });

  it('a segment that fills all or part of a hole: at once', async () => {
    const t = await settled(await established());
    t.inject({ seq: at(17), length: MSS });
    t.inject({ seq: at(19), length: MSS });
    t.drain();
    // More than the quick acknowledgments that a hole brings.
    for (let i = 0; i < 20; i++) t.inject({ seq: at(19), length: MSS });
    t.drain();
    t.inject({ seq: at(16), length: MSS });
    t.expect({ ack: at(18) });
    t.inject({ seq: at(18), length: MSS });
    t.expect({ ack: at(20) });
    expect(t.read()).to.have.length(4 * MSS);
  });

  it('so is one that fills a hole with little, when nothing else hurries', async () => {
    const t = await settled(await established({ setup: (socket) => socket.setsockopt(6, 1, 1) }));
    t.inject({ seq: at(16) + 10, length: 10 });
    // The quick acknowledgments that a hole brings ride on these.
    for (let i = 0; i < 20; i++) {
      t.write('a');
      t.flush();
      t.inject({ seq: at(16) });
    }
    t.drain();
    t.inject({ seq: at(16), length: 10 });
    t.expect({ ack: at(16) + 20, length: 0 });
  });

  it('a duplicate: at once', async () => {
    const t = await settled(await established());
    t.inject({ seq: at(16), length: 100 });
    t.expectNothing();
    t.inject({ seq: at(16), length: 100 });
    t.expect({ ack: at(16) + 100 });
  });

  it('TCP_QUICKACK sends what waits, and stops waiting for answers', async () => {
    const t = await settled(await established());
    // The user reads, and is expected to answer.
    t.socket.setsockopt(6, 12, 0);
    t.inject({ seq: at(16), length: 100 });
    t.read();
    t.expectNothing();
    t.socket.setsockopt(6, 12, 1);
    t.expect({ ack: at(16) + 100 });
  });

  it('segments without data are not acknowledged', async () => {
    const t = await established();
    for (let i = 0; i < 3; i++) t.inject({ win: 1000 + i });
    await t.advance(1000);
    t.expectNothing();
  });
});
