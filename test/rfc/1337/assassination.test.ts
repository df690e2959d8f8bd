/** RFC 1337: what segments of the past can do to TIME-WAIT. */
import { expect } from 'chai';
import { inState } from '../../support/wire-states.ts';

describe('RFC 1337 3: TIME-WAIT assassination', () => {
  it('F1: with tcp_rfc1337 a RST, exact or not, does not end TIME-WAIT', async () => {
    const t = await inState('TIME-WAIT', { sysctl: { tcp_rfc1337: true } });
    for (const seq of [1, 2, 3, 1000]) t.inject({ seq, flags: 'R' });
    t.expectNothing();
    expect(t.state()).to.equal('TIME-WAIT');
    await t.advance(60_000);
    expect(t.state()).to.equal('CLOSED');
  });

  it('without it, which is the default as on Linux, the exact number does, and no other', async () => {
    const t = await inState('TIME-WAIT');
    for (const seq of [1, 3, 1000]) t.inject({ seq, flags: 'R' });
    expect(t.state()).to.equal('TIME-WAIT');
    t.inject({ seq: 2, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
    t.expectNothing();
  });

  it('1, figure 1: an old data segment is answered with an ACK; the RST that this brings back kills, unless F1', async () => {
    for (const tcp_rfc1337 of [false, true]) {
      const t = await inState('TIME-WAIT', { sysctl: { tcp_rfc1337 } });
      t.inject({ seq: 1, ack: 1, data: 'old' });
      t.expect({ seq: 2, ack: 2, flags: 'A' });
      t.inject({ seq: 2, flags: 'R' });
      expect(t.state()).to.equal(tcp_rfc1337 ? 'TIME-WAIT' : 'CLOSED');
    }
  });
});
