/** A link that goes down, ends, or is full: what becomes of the connections over it. */
import { expect } from 'chai';
import { IP_TOS, IPPROTO_IP } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { ENETDOWN, ENETUNREACH } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { errorOf, establishedAfter, info, seqs } from '../support/wire-info.ts';
import { established, PEER, type WirePeer } from '../support/wire-peer.ts';
import { address, bench, prefix, syn, TapLink } from './tap.ts';

const MSS = 1460;
const at = (i: number) => 1 + i * MSS;

/** The link takes so many more packets, then says when it has room again. */
function room(t: WirePeer, packets: number): void {
  t.link.room = packets;
  t.link.receiver?.writable();
  t.flush();
}

describe('a link that goes down', () => {
  it('loses packets, and connections wait for it', async () => {
    const t = await establishedAfter(100);
    t.link.receiver?.down();
    t.write('a');
    await t.advance(5000);
    t.expectNothing();
    expect(t.state()).to.equal('ESTABLISHED');
    expect(t.counters.OutDiscards).to.be.greaterThan(2);
    t.link.receiver?.up();
    await t.advance(5000);
    expect(t.drain().map(({ data }) => data)).to.include('a');
    t.inject({ ack: 2 });
    expect(info(t).tcpi_unacked).to.equal(0);
  });
});

describe('RFC 9293 3.8.3 [MUST-20] (b), R1', () => {
  /** A connection from 10.0.0.1 to a network behind two gateways, one on each link, and one byte of it unanswered. */
  async function behindTwoLinks({ mtu = 1500, tos = 0, bytes = 1 } = {}) {
    const { stack, clock } = bench();
    const [first, second] = [new TapLink('first'), new TapLink('second', mtu)];
    for (const [link, own] of [
      [first, '10.0.0.1/24'],
      [second, '10.0.1.1/24'],
    ] as const) {
      const added = stack.addInterface(link, { addresses: [prefix(own)] });
      stack.addRoute({ destination: address('10.9.0.0'), bits: 16, interface: added });
    }
    const socket = createSocket(stack, 2, 1, 0) as Socket;
    socket.setsockopt(IPPROTO_IP, IP_TOS, tos);
    socket.connect({ address: address('10.9.0.9'), port: 80 });
    await clock.advance(0);
    const seq = new DataView((first.drain()[0] as Uint8Array).buffer).getUint32(24);
    const port = (socket.getsockname() as { port: number }).port;
    const answer = { sourcePort: 80, destinationPort: port, flags: 'SA', ack: seq + 1, options: { mss: 1460 } };
    first.deliver(syn('10.9.0.9', '10.0.0.1', answer));
    await clock.advance(0);
    first.drain();
    socket.send(new Uint8Array(bytes));
    return { clock, first, second };
  }

  it('SHLD-10, MUST-45: after three retransmissions in vain another link serves, from the same address, when the first is down', async () => {
    const { clock, first, second } = await behindTwoLinks();
    first.receiver.down();
    // The RTO is 200 ms: retransmissions at 0.2, 0.6 and 1.4 s.
    await clock.advance(1300);
    expect([first.drain(), second.drain()]).to.deep.equal([[], []]);
    await clock.advance(300);
    expect(first.drain()).to.deep.equal([]);
    const sent = second.drain();
    expect(sent).to.have.length(1);
    // Still from the address that the peer knows.
    expect([...(sent[0] as Uint8Array).subarray(12, 16)]).to.deep.equal([10, 0, 0, 1]);
  });

  it('its segments fit the other link, and are marked as before', async () => {
    const { clock, first, second } = await behindTwoLinks({ mtu: 576, tos: 0x10, bytes: 1460 });
    await clock.advance(0);
    first.receiver.down();
    await clock.advance(1600);
    const [sent, ...others] = second.drain() as [Uint8Array, ...Uint8Array[]];
    expect(others).to.deep.equal([]);
    expect([sent.length, sent[1]]).to.deep.equal([576, 0x10]);
  });

  it('it stays where it is when the other is down, too', async () => {
    const { clock, first, second } = await behindTwoLinks();
    first.receiver.down();
    second.receiver.down();
    await clock.advance(1600);
    first.receiver.up();
    second.receiver.up();
    await clock.advance(2000);
    expect([first.drain().length, second.drain().length]).to.deep.equal([1, 0]);
  });

  it('it stays where it is while its link is up', async () => {
    const { clock, first, second } = await behindTwoLinks();
    await clock.advance(5000);
    expect(first.drain()).to.have.length(5);
    expect(second.drain()).to.deep.equal([]);
  });
});

describe('a link that ends', () => {
  it('takes its connections with it: ENETDOWN', async () => {
    const t = await established();
    t.write('a');
    t.drain();
    t.link.receiver?.closed(new Error('unplugged'));
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ENETDOWN);
    t.expectNothing();
    await t.advance(1000);
    t.expectNothing();
  });

  it('connections over others live on, and new ones do not go over it', async () => {
    const { stack, clock } = bench();
    const [first, second] = [new TapLink('first'), new TapLink('second')];
    stack.addInterface(first, { addresses: [prefix('10.0.0.1/24')] });
    stack.addInterface(second, { addresses: [prefix('10.0.1.1/24')] });
    const listener = createSocket(stack, 2, 1, 0) as Socket;
    listener.bind({ address: address('0.0.0.0'), port: 80 });
    listener.listen(5);
    first.deliver(syn('10.0.0.2', '10.0.0.1'));
    second.deliver(syn('10.0.1.2', '10.0.1.1'));
    const socket = createSocket(stack, 2, 1, 0) as Socket;
    socket.connect({ address: address('10.0.0.9'), port: 80 });
    await clock.advance(0);
    expect(stack.sockets()).to.have.length(4);
    first.receiver.closed(undefined);
    await clock.advance(0);
    expect(stack.sockets().map(({ remote }) => remote)).to.deep.equal(['0.0.0.0:*', '10.0.1.2:40000']);
    expect(socket.takeError()).to.equal(ENETDOWN);
    const other = createSocket(stack, 2, 1, 0) as Socket;
    expect(other.connect({ address: address('10.0.0.9'), port: 80 })).to.equal(-ENETUNREACH);
    stack.close();
    expect([first.isClosed, second.isClosed]).to.deep.equal([true, true]);
    expect(stack.slab.live).to.equal(0);
  });

  it('the peers of TIME-WAIT records are forgotten as well', async () => {
    const t = await established();
    t.socket.shutdown(1);
    t.drain();
    t.inject({ ack: 2, flags: 'FA' });
    t.drain();
    expect(t.state()).to.equal('TIME-WAIT');
    t.link.receiver?.closed(undefined);
    expect(t.stack.sockets().map(({ state }) => state)).to.deep.equal(['LISTEN']);
  });
});

describe('a link that is full', () => {
  it('loses nothing, and the order stays', async () => {
    const t = await established({ sysctl: { tcp_init_cwnd: 200 }, options: { mss: MSS, wscale: 8 } });
    t.inject({ win: 10_000 });
    t.link.room = 0;
    t.write(200 * MSS);
    t.expectNothing();
    const sent: number[] = [];
    for (let i = 0; i < 100; i++) {
      room(t, 3);
      sent.push(...seqs(t.drain()));
    }
    expect(sent).to.deep.equal(Array.from({ length: 200 }, (_, i) => at(i)));
    expect(t.counters).to.include({ OutDiscards: 0, RetransSegs: 0 });
  });

  it('the acknowledgment that could not leave does when there is room', async () => {
    const t = await established({ options: { mss: MSS, wscale: 8 } });
    t.link.room = 0;
    // The interface itself holds 128 packets.
    for (let i = 0; i < 400; i++) {
      t.inject({ seq: at(i), length: MSS });
      t.read();
    }
    t.expectNothing();
    room(t, Infinity);
    expect(t.drain().at(-1)).to.include({ ack: at(400) });
  });

  it('a connection that waits for room is closed without a trace', async () => {
    const t = await established({ sysctl: { tcp_init_cwnd: 200 }, options: { mss: MSS, wscale: 8 } });
    t.inject({ win: 10_000 });
    t.link.room = 1;
    t.write(200 * MSS);
    t.expect({ seq: 1 });
    t.inject({ seq: 1, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
    room(t, Infinity);
    t.drain();
    room(t, Infinity);
    t.expectNothing();
  });

  it('a SYN-ACK that could not leave does a millisecond later, and counts as sent once', async () => {
    const { stack, clock } = bench();
    const link = new TapLink();
    stack.addInterface(link, { addresses: [prefix('10.0.0.1/24')] });
    const listener = createSocket(stack, 2, 1, 0) as Socket;
    listener.bind({ address: address('0.0.0.0'), port: 80 });
    listener.listen(4000);
    link.room = 0;
    for (let i = 0; i < 300; i++) link.deliver(syn('10.0.0.2', '10.0.0.1', { sourcePort: 10_000 + i }));
    await clock.advance(5);
    expect(link.sent).to.deep.equal([]);
    link.room = Infinity;
    link.receiver.writable();
    await clock.advance(5);
    expect(link.drain()).to.have.length(300);
    expect(stack.counters.RetransSegs).to.equal(0);
    // From then on as usual: again after a second.
    await clock.advance(900);
    expect(link.drain()).to.deep.equal([]);
    await clock.advance(120);
    expect(link.drain()).to.have.length(300);
  });

  it('the SYN of a new connection waits for it, too', async () => {
    const { stack, clock } = bench();
    const link = new TapLink();
    stack.addInterface(link, { addresses: [prefix('10.0.0.1/24')] });
    link.room = 0;
    const sockets = Array.from({ length: 300 }, () => createSocket(stack, 2, 1, 0) as Socket);
    for (const socket of sockets) socket.connect({ address: PEER, port: 80 });
    await clock.advance(0);
    expect(link.sent).to.deep.equal([]);
    for (let i = 0; i < 4; i++) {
      link.room = 100;
      link.receiver.writable();
      await clock.advance(0);
    }
    expect(link.drain()).to.have.length(300);
    stack.close();
  });
});
