/** RFC 6191: timestamps let a connection follow another sooner than after 2 MSL. Section 2 on the passive side; Linux's tcp_tw_reuse on the active. */
import { expect } from 'chai';
import { EADDRNOTAVAIL, EINPROGRESS } from '../../../src/socket/errno.ts';
import { IpAddress } from '../../../src/wire/address.ts';
import { CLIENT, DUT, PEER, type PeerOptions, SERVICE, type WirePeer } from '../../support/wire-peer.ts';
import { inState } from '../../support/wire-states.ts';

const STAMPED = { mss: 1460, ts: [5000, 0] } as const;

describe('RFC 6191 2: a SYN in TIME-WAIT', () => {
  const cases = [
    ['timestamps, a later one: a new connection, whatever its number', STAMPED, -1000, 9000, true],
    ['timestamps, the same one, a larger number: a new connection', STAMPED, 3, 5000, true],
    ['timestamps, the same one, a smaller number: an ACK', STAMPED, -1000, 5000, false],
    ['timestamps, an older one: an ACK, whatever its number', STAMPED, 1000, 4000, false],
    ['timestamps before, none now, a larger number: a new connection', STAMPED, 3, undefined, true],
    ['timestamps before, none now, a smaller number: an ACK', STAMPED, 1, undefined, false],
    ['none before, but now, a larger number: a new connection', { mss: 1460 }, 3, 1, true],
    ['none before, but now, a smaller number: an ACK', { mss: 1460 }, 1, 9_000_000, false],
    ['none at all, a larger number: a new connection', { mss: 1460 }, 3, undefined, true],
    ['none at all, a smaller number: an ACK', { mss: 1460 }, 1, undefined, false],
  ] as const;
  for (const [name, options, seq, stamp, opens] of cases) {
    it(name, async () => {
      const t = await inState('TIME-WAIT', { options });
      t.inject({ seq, flags: 'S', options: { mss: 1460, ts: stamp === undefined ? undefined : [stamp, 0] } });
      if (opens) t.expect({ flags: 'SA', ack: seq + 1 });
      else t.expect({ flags: 'A', seq: 2, ack: 2 });
      t.expectNothing();
      expect(t.state()).to.equal(opens ? 'SYN-RECEIVED' : 'TIME-WAIT');
    });
  }
});

/** The DUT connected first, and closed first. */
async function closed(options: PeerOptions = {}): Promise<WirePeer> {
  const t = await inState('TIME-WAIT', { active: true, options: STAMPED, ...options });
  t.socket.close();
  return t;
}

/** A connect from the same port to the same peer. */
function again(t: WirePeer, bound: boolean): number {
  const socket = t.newSocket();
  socket.reuseAddress = true;
  if (bound) socket.bind({ address: DUT, port: CLIENT });
  return socket.connect({ address: PEER, port: SERVICE });
}

describe('RFC 6191, from the other side: tcp_tw_reuse', () => {
  const ONE_PORT = { ip_local_port_range: [CLIENT, CLIENT] } as const;

  it('1: after a second, when the port was not chosen; the numbers go on, TSecr is the last TSval', async () => {
    const t = await closed({ sysctl: { tcp_tw_reuse: 1, ...ONE_PORT } });
    const last = t.dutIsn() + 2;
    await t.advance(1000);
    expect(again(t, false)).to.equal(-EADDRNOTAVAIL);
    await t.advance(1);
    expect(again(t, false)).to.equal(-EINPROGRESS);
    const { options } = t.expect({ flags: 'S' });
    expect((t.dutIsn() - last) | 0).to.equal(65_537);
    expect(options.ts?.[1]).to.be.within(5000, 6000);
    expect(t.counters.TWRecycled).to.equal(1);
    expect(t.stack.tcp.timeWaits).to.equal(0);
  });

  it('tcp_tw_reuse_delay is that second', async () => {
    const t = await closed({ sysctl: { tcp_tw_reuse: 1, tcp_tw_reuse_delay: 10, ...ONE_PORT } });
    await t.advance(11);
    expect(again(t, false)).to.equal(-EINPROGRESS);
  });

  it('0: never; 2, the default: only on loopback addresses', async () => {
    for (const tcp_tw_reuse of [0, 2]) {
      const t = await closed({ sysctl: { tcp_tw_reuse, ...ONE_PORT } });
      await t.advance(50_000);
      expect(again(t, false)).to.equal(-EADDRNOTAVAIL);
    }
  });

  it('without timestamps never', async () => {
    const t = await closed({ options: { mss: 1460 }, sysctl: { tcp_tw_reuse: 1, ...ONE_PORT } });
    await t.advance(50_000);
    expect(again(t, false)).to.equal(-EADDRNOTAVAIL);
    expect(again(t, true)).to.equal(-EADDRNOTAVAIL);
  });

  it('a port that the user chose may be used again at once, with timestamps (Linux)', async () => {
    const t = await closed({ sysctl: { tcp_tw_reuse: 0 } });
    expect(again(t, true)).to.equal(-EINPROGRESS);
    t.expect({ flags: 'S' });
  });

  it('2 on loopback', async () => {
    const t = await closed();
    const address = IpAddress.parse('127.0.0.1') as IpAddress;
    const listener = t.newSocket();
    listener.bind({ address, port: 99 });
    listener.listen(5);
    t.stack.sysctl.ip_local_port_range = [50_000, 50_000];
    const connect = () => {
      const socket = t.newSocket();
      const result = socket.connect({ address, port: 99 });
      return { socket, result };
    };
    const { socket } = connect();
    await t.advance(1);
    const accepted = listener.accept();
    socket.close();
    await t.advance(1);
    if (typeof accepted === 'object') accepted.close();
    await t.advance(1);
    expect(connect().result).to.equal(-EADDRNOTAVAIL);
    await t.advance(1001);
    const second = connect();
    expect(second.result).to.equal(-EINPROGRESS);
    await t.advance(1);
    expect(listener.accept()).to.be.an('object');
  });
});
