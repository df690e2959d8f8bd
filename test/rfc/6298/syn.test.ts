/** RFC 6298 5.7 and RFC 9293 3.8.3 [MUST-23]: SYNs that are lost, with Linux's schedule and limits. */
import { expect } from 'chai';
import { ETIMEDOUT } from '../../../src/socket/errno.ts';
import { errorOf, info, times } from '../../support/wire-info.ts';
import { connecting, listening } from '../../support/wire-peer.ts';

const seconds = (values: number[]) => values.map((value) => value * 1000);

describe('RFC 6298 5: SYNs that are lost', () => {
  it('a SYN goes again after 1, 1, 1, 1, then 1, 2, 4, ... seconds, six times more, and gives up after 131 s', async () => {
    const t = connecting();
    const start = t.now;
    await t.advance(130_999);
    const again = t.drain();
    expect(times(again, start)).to.deep.equal(seconds([1, 2, 3, 4, 5, 7, 11, 19, 35, 67]));
    for (const syn of again) expect(syn).to.include({ seq: 0, flags: 'S', length: 0 });
    expect(t.state()).to.equal('SYN-SENT');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
    t.expectNothing();
    expect(t.counters).to.include({ TCPSynRetrans: 10, TCPTimeouts: 10, TCPAbortOnTimeout: 1, AttemptFails: 1 });
  });

  it('tcp_syn_linear_timeouts 0: 1, 2, 4, ... from the start, as RFC 6298 5.5 has it', async () => {
    const t = connecting({ sysctl: { tcp_syn_linear_timeouts: 0, tcp_syn_retries: 3 } });
    const start = t.now;
    await t.advance(14_999);
    expect(times(t.drain(), start)).to.deep.equal(seconds([1, 3, 7]));
    expect(t.state()).to.equal('SYN-SENT');
    await t.advance(1);
    expect(errorOf(t)).to.equal(ETIMEDOUT);
  });

  it('TCP_SYNCNT says how often', async () => {
    const t = connecting({ setup: (socket) => socket.setsockopt(6, 7, 1) });
    const start = t.now;
    await t.advance(6999);
    expect(times(t.drain(), start)).to.deep.equal(seconds([1, 2, 3, 4, 5]));
    await t.advance(1);
    expect(errorOf(t)).to.equal(ETIMEDOUT);
  });

  it('TCP_USER_TIMEOUT ends the attempt, on time', async () => {
    const t = connecting({ setup: (socket) => socket.setsockopt(6, 18, 3500) });
    await t.advance(3499);
    expect(t.drain()).to.have.length(3);
    expect(t.state()).to.equal('SYN-SENT');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
  });

  it('a SYN,ACK goes again after 1, 2, 4, 8, 16 s, and the embryonic connection is forgotten after 63 s', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
    t.expect({ flags: 'SA' });
    const start = t.now;
    await t.advance(62_999);
    const again = t.drain();
    expect(times(again, start)).to.deep.equal(seconds([1, 3, 7, 15, 31]));
    for (const each of again) expect(each).to.include({ seq: 0, ack: 1, flags: 'SA' });
    expect(t.state()).to.equal('SYN-RECEIVED');
    await t.advance(1);
    expect(t.state()).to.equal('LISTEN');
    t.expectNothing();
    // The late ACK finds nobody.
    t.inject({ seq: 1, ack: 1 });
    t.expect({ seq: 1, flags: 'R' });
  });

  it('tcp_synack_retries says how often', async () => {
    const t = listening({ sysctl: { tcp_synack_retries: 2 } });
    t.inject({ seq: 0, flags: 'S' });
    const start = t.now;
    await t.advance(7000);
    expect(times(t.drain(), start)).to.deep.equal(seconds([0, 1, 3]));
    expect(t.state()).to.equal('LISTEN');
  });

  it('5.7: after a SYN that was sent again, the RTO is 3 seconds when data begins to flow', async () => {
    const t = connecting();
    await t.advance(1000);
    t.expect({ flags: 'S' });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    t.expect({ flags: 'A' });
    expect(info(t)).to.include({ tcpi_rto: 3_000_000, tcpi_rtt: 0, tcpi_backoff: 0 });
    t.write('a');
    t.expect({ seq: 1 });
    await t.advance(2999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1, data: 'a' });
  });

  it('5.7: the back-off of the SYN ends with it', async () => {
    const t = connecting({ sysctl: { tcp_syn_linear_timeouts: 0 } });
    await t.advance(3000);
    expect(t.drain()).to.have.length(2);
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460 } });
    expect(info(t)).to.include({ tcpi_rto: 3_000_000, tcpi_backoff: 0 });
    t.drain();
  });

  it('5.7: likewise after a SYN,ACK that was sent again', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S', options: { mss: 1460 } });
    await t.advance(1000);
    expect(t.drain()).to.have.length(2);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    expect(info(t).tcpi_rto).to.equal(3_000_000);
  });

  it('5.7: where timestamps gave a sample nevertheless, the RTO is from that (Linux)', async () => {
    const t = connecting();
    await t.advance(1000);
    const again = t.expect({ flags: 'S' });
    await t.advance(50);
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss: 1460, ts: [7, again.options.ts?.[0] as number] } });
    expect(info(t)).to.include({ tcpi_rtt: 50_000, tcpi_rto: 250_000 });
  });
});
