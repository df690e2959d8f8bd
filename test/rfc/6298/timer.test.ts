/** RFC 6298 5: managing the retransmission timer. */
import { expect } from 'chai';
import { establishedAfter, info, seqs, times } from '../../support/wire-info.ts';

describe('RFC 6298 5: the retransmission timer', () => {
  it('5.1: it starts with the first data that is sent, and later data does not move it', async () => {
    const t = await establishedAfter(100, { setup: (socket) => socket.setsockopt(6, 1, 1) });
    t.write('a');
    await t.advance(250);
    t.write('b');
    t.expect({ seq: 1 });
    t.expect({ seq: 2 });
    await t.advance(49);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1, data: 'a' });
  });

  it('5.2: when all data is acknowledged it is turned off', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ seq: 1 });
    await t.advance(100);
    t.inject({ ack: 2 });
    await t.advance(100_000);
    t.expectNothing();
  });

  it('5.3: an acknowledgment of new data starts it anew', async () => {
    const t = await establishedAfter(100);
    t.write(2 * 1460);
    t.expect({ seq: 1 });
    t.expect({ seq: 1461 });
    await t.advance(100);
    // The sample is 100 ms again: the RTO stays at 300 ms.
    t.inject({ ack: 1461 });
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1461 });
  });

  it('5.3: a duplicate acknowledgment does not', async () => {
    const t = await establishedAfter(100);
    t.write(2 * 1460);
    t.drain();
    await t.advance(200);
    t.inject({ ack: 1 });
    await t.advance(99);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1 });
  });

  it('5.4: the earliest segment that is not acknowledged is sent again, and only that', async () => {
    const t = await establishedAfter(100);
    t.write(3 * 1460);
    t.drain();
    await t.advance(300);
    t.expect({ seq: 1, length: 1460 });
    t.expectNothing();
  });

  it('what goes again is what went, up to the PSH', async () => {
    const t = await establishedAfter(100);
    t.write('abc');
    const { bytes } = t.expect({ seq: 1, flags: 'PA', data: 'abc' });
    await t.advance(300);
    expect(t.expect({ seq: 1, flags: 'PA', data: 'abc' }).bytes).to.deep.equal(bytes);
  });

  it('5.5, 5.6: each time the timer fires the RTO doubles [MUST-19]', async () => {
    const t = await establishedAfter(100);
    const start = t.now;
    t.write('a');
    await t.advance(20_000);
    expect(times(t.drain(), start)).to.deep.equal([0, 300, 900, 2100, 4500, 9300, 18_900]);
    expect(info(t)).to.include({ tcpi_backoff: 6, tcpi_retransmits: 6, tcpi_rto: 19_200_000, tcpi_total_retrans: 6 });
  });

  it('5.5: the back-off outlives an acknowledgment that gives no sample, and ends with one that does', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    await t.advance(900);
    t.drain();
    t.inject({ ack: 2 });
    // Karn: what was acknowledged had been sent again.
    expect(info(t)).to.include({ tcpi_backoff: 2, tcpi_retransmits: 0 });
    t.write('b');
    t.expect({ seq: 2 });
    await t.advance(1199);
    t.expectNothing();
    t.inject({ ack: 3 });
    expect(info(t).tcpi_backoff).to.equal(0);
  });

  it('the data behind what timed out follows as it is acknowledged, in order', async () => {
    const t = await establishedAfter(100);
    t.write(4 * 1460);
    t.drain();
    await t.advance(300);
    t.expect({ seq: 1 });
    await t.advance(100);
    t.inject({ ack: 1461 });
    expect(seqs(t.drain())).to.deep.equal([1461, 2921]);
    await t.advance(100);
    t.inject({ ack: 4381 });
    expect(seqs(t.drain())).to.deep.equal([4381]);
    expect(t.counters).to.include({ TCPTimeouts: 1, TCPSlowStartRetrans: 3, TCPFastRetrans: 0, RetransSegs: 4 });
  });
});
