/** The SYN queue, where no RFC says much: how often a SYN-ACK goes again, TCP_DEFER_ACCEPT, what embryos refuse. */
import { expect } from 'chai';
import { IPPROTO_TCP, TCP_DEFER_ACCEPT, TCP_RTO_MAX_MS } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { times } from '../support/wire-info.ts';
import { connecting, listening, type WirePeer } from '../support/wire-peer.ts';

function deferring(seconds: number): WirePeer {
  return listening({ setup: (socket) => socket.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds) });
}

describe('SYN-ACKs', () => {
  it('go again after 1, 2, 4, ... s, five times', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    await t.advance(200_000);
    expect(times(t.drain(), 1000)).to.deep.equal([0, 1000, 3000, 7000, 15_000, 31_000]);
    expect(t.stack.demux.size).to.equal(0);
  });

  it('tcp_rto_max_ms bounds the interval, tcp_synack_retries the number', async () => {
    const t = listening({ sysctl: { tcp_rto_max_ms: 1500, tcp_synack_retries: 3 } });
    t.inject({ seq: 0, flags: 'S' });
    await t.advance(200_000);
    expect(times(t.drain(), 1000)).to.deep.equal([0, 1000, 2500, 4000]);
  });

  it("so does the listener's TCP_RTO_MAX_MS", async () => {
    const t = listening({ setup: (socket) => socket.setsockopt(IPPROTO_TCP, TCP_RTO_MAX_MS, 1000) });
    t.inject({ seq: 0, flags: 'S' });
    await t.advance(200_000);
    expect(times(t.drain(), 1000)).to.deep.equal([0, 1000, 2000, 3000, 4000, 5000]);
  });

  it('the handshake of one that went again measures no round trip without timestamps', async () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    await t.advance(1100);
    t.inject({ seq: 1, ack: 1 });
    t.accept();
    expect(t.socket.connection?.srttUs).to.equal(0);
  });
});

describe('TCP_DEFER_ACCEPT', () => {
  it('seconds are timeouts: 1, 3, 7, 15, ... (Linux)', () => {
    for (const [given, kept] of [
      [-1, 0],
      [0, 0],
      [1, 1],
      [2, 3],
      [3, 3],
      [4, 7],
      [100, 127],
      [128, 247],
    ]) {
      const t = deferring(given as number);
      expect(t.listener?.getsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT), String(given)).to.equal(kept);
    }
  });

  it('the ACK is put off, and counted; data opens the connection', async () => {
    const t = deferring(5);
    t.handshake();
    await t.advance(2000);
    t.expectNothing();
    expect(t.listener?.poll()).to.equal(0);
    expect(t.counters.TCPDeferAcceptDrop).to.equal(1);
    t.inject({ seq: 1, ack: 1, data: 'GET' });
    t.accept();
    expect(t.read()).to.equal('GET');
  });

  it('at the last timeout the SYN-ACK goes again, after which an ACK will do', async () => {
    const t = deferring(5);
    t.handshake();
    await t.advance(6999);
    t.expectNothing();
    await t.advance(1);
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 1 });
    t.accept();
  });

  it('without an ACK the SYN-ACK goes again as ever', async () => {
    const t = deferring(5);
    t.inject({ seq: 0, flags: 'S' });
    await t.advance(4000);
    expect(times(t.drain(), 1000)).to.deep.equal([0, 1000, 3000]);
  });

  it('longer than tcp_synack_retries: the embryo stays as long', async () => {
    const t = listening({
      sysctl: { tcp_synack_retries: 1 },
      setup: (socket) => socket.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, 7),
    });
    t.handshake();
    await t.advance(7000);
    t.expect({ flags: 'SA' });
    await t.advance(8000);
    t.expectNothing();
    expect(t.stack.demux.size).to.equal(0);
  });
});

describe('an embryo', () => {
  const options = { mss: 1460, ts: [500, 0] } as const;

  it('wants an echo of a timestamp of ours (Linux)', async () => {
    const t = listening({ options });
    t.inject({ seq: 0, flags: 'S', options });
    const first = t.now;
    t.expect({ flags: 'SA' });
    await t.advance(3500);
    t.drain();
    for (const ecr of [first - 1, first + 3001]) {
      t.inject({ seq: 1, ack: 1, options: { ts: [600, ecr] } });
      await t.advance(500);
      t.expect({ seq: 1, ack: 1, flags: 'A' });
    }
    expect(t.counters.TSEcrRejected).to.equal(2);
    t.inject({ seq: 1, ack: 1, options: { ts: [600, first + 1000] } });
    t.accept();
  });

  it('takes a missing echo for none', () => {
    const t = listening({ options });
    t.inject({ seq: 0, flags: 'S', options });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 1, options: { ts: [600, 0] } });
    t.accept();
  });

  it('a RST counts by its number, whatever it acknowledges', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 500, flags: 'RA' });
    t.expectNothing();
    expect(t.stack.demux.size).to.equal(0);
    expect([t.counters.EmbryonicRsts, t.counters.AttemptFails]).to.deep.equal([1, 1]);
  });

  it('looks at the ACK field first (Linux): RST, wherever the segment lies', () => {
    const t = listening();
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1_000_000, ack: 2 });
    t.expect({ seq: 2, flags: 'R' });
    t.inject({ seq: 1_000_000, ack: 1 });
    t.expect({ seq: 1, ack: 1, flags: 'A' });
  });
});

describe('the window of a SYN-ACK', () => {
  it('is of whole segments as they will be: shorter with timestamps (Linux)', () => {
    for (const [options, win] of [
      [{ mss: 1460 }, 44 * 1460],
      [{ mss: 1460, ts: [500, 0] }, 45 * 1448],
    ] as const) {
      const t = listening({ options, sysctl: { tcp_rmem: [4096, 131_072, 6_291_456] } });
      t.inject({ seq: 0, flags: 'S', options });
      t.expect({ flags: 'SA', win });
    }
  });
});

describe('TCP_DEFER_ACCEPT on a client', () => {
  const setup = (socket: Socket) => void socket.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);

  it('its data carries the ACK of the handshake (Linux)', () => {
    const t = connecting({ setup });
    t.inject({ seq: 0, ack: 1, flags: 'SA' });
    t.expectNothing();
    t.write('hello');
    t.expect({ seq: 1, ack: 1, data: 'hello' });
  });

  it('which waits for 200 ms at the most', async () => {
    const t = connecting({ setup });
    t.inject({ seq: 0, ack: 1, flags: 'SA' });
    await t.advance(199);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1, ack: 1, flags: 'A', length: 0 });
  });
});

describe('SYN-SENT', () => {
  const options = { mss: 1460, sackOk: true, ts: [500, 0], wscale: 7 } as const;

  it('a SYN-ACK that echoes no SYN of ours is of an older connection: RST (Linux)', async () => {
    const t = connecting();
    const first = t.now;
    await t.advance(1500);
    t.drain();
    for (const ecr of [first - 1, first + 1501]) {
      t.inject({ seq: 0, ack: 1, flags: 'SA', options: { ...options, ts: [500, ecr] } });
      t.expect({ seq: 1, flags: 'R' });
    }
    expect(t.counters.PAWSActive).to.equal(2);
    t.inject({ seq: 0, ack: 1, flags: 'SA', options: { ...options, ts: [500, first + 1000] } });
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('when SYNs cross, our SYN-ACK offers what our SYN did; what the peer has not offered is off all the same (Linux)', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'S', options: { mss: 1000 } });
    const { options: offered } = t.expect({ seq: 0, ack: 1, flags: 'SA' });
    expect([offered.sackOk, offered.wscale, offered.ts?.[1]]).to.deep.equal([true, 10, 0]);
    t.inject({ seq: 1, ack: 1, win: 50 });
    t.write(100);
    t.expect({ length: 50, options: { ts: undefined } });
  });

  it('of a SYN-ACK that crosses ours the SYN is a duplicate, and reported (RFC 2883)', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'S', options });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 0, ack: 1, flags: 'SA', options });
    t.expect({ seq: 1, ack: 1, flags: 'A', options: { sack: [[0, 1]] } });
  });
});
