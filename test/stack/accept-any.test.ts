/** What comes to addresses that are nobody's, on a link that accepts any: packet by packet. */
import { expect } from 'chai';
import { AF_INET, SOCK_STREAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { Interface } from '../../src/stack/interface.ts';
import { type PendingSyn, PendingSyns, type WithdrawReason } from '../../src/stack/pending-syns.ts';
import { TcpSettings } from '../../src/tcp/settings.ts';
import { IPV4_ANY } from '../../src/wire/address.ts';
import { writeEchoRequest } from '../../src/wire/icmp.ts';
import { buildIp, readIp, readSegment } from '../support/wire-segment.ts';
import { buildIcmp6, Wire6 } from '../support/wire6.ts';
import { address, bench, prefix, syn, TapLink } from './tap.ts';

const PEER = '10.0.0.9';
const FAR = '192.0.2.1';

function proxy() {
  const { stack, clock } = bench();
  const link = new TapLink('any');
  const from = stack.addInterface(link, { addresses: [prefix('10.0.0.1/24')] });
  from.acceptAny = true;
  const asked: PendingSyn[] = [];
  const withdrawn: [PendingSyn, WithdrawReason][] = [];
  const pending = new PendingSyns(stack, {
    limit: 10,
    timeout: 1000,
    asked: (one) => asked.push(one),
    withdrawn: (one, reason) => withdrawn.push([one, reason]),
  });
  stack.pendingSyns = pending;
  const sent = async () => {
    await clock.advance(0);
    return link.drain().map((bytes) => readSegment(bytes));
  };
  return { stack, clock, link, from, asked, withdrawn, pending, sent };
}

describe('a link that accepts any address, packet by packet', () => {
  for (const to of ['224.0.0.1', '255.255.255.255', '10.0.0.255', '127.0.0.1', '0.1.2.3', '169.254.3.4', '240.0.0.1'])
    it(`${to} is not the address of one host: nothing is made of it`, async () => {
      const t = proxy();
      t.link.deliver(syn(PEER, to));
      expect(await t.sent()).to.deep.equal([]);
      expect(t.asked).to.have.length(0);
      expect(t.stack.counters.InAddrErrors).to.equal(1);
    });

  for (const from of ['10.0.0.1', '0.0.0.0', '224.0.0.1', '10.0.0.255', '127.0.0.1'])
    it(`nobody has the source address ${from}`, async () => {
      const t = proxy();
      t.link.deliver(syn(from, FAR));
      expect(await t.sent()).to.deep.equal([]);
      expect(t.asked).to.have.length(0);
    });

  it('what a SYN asks for is kept while the answer is awaited', async () => {
    const t = proxy();
    const options = { mss: 1200, wscale: 4, sackOk: true, ts: [77, 0] } as const;
    t.link.deliver(syn(PEER, FAR, { options, data: new Uint8Array(5) }));
    expect(await t.sent()).to.deep.equal([]);
    expect(t.stack.slab.live).to.equal(0);
    await t.clock.advance(500);
    t.pending.accept(t.asked[0] as PendingSyn, new TcpSettings(t.stack.sysctl));
    const [answer] = await t.sent();
    expect(t.stack.slab.live).to.equal(0);
    // The data of the SYN was not kept: it is not acknowledged.
    expect(answer).to.include({ flags: 'SA', ack: 101, source: address(FAR).w3, destination: address(PEER).w3 });
    expect(answer?.options).to.include({ mss: 1460, sackOk: true });
    expect(answer?.options.ts?.[1]).to.equal(77);
    expect(t.stack.sockets().map(({ state, local }) => [state, local])).to.deep.equal([['SYN-RECEIVED', `${FAR}:80`]]);
  });

  it('a RST from behind the SYN takes the question back; another RST does not', async () => {
    const t = proxy();
    t.link.deliver(syn(PEER, FAR));
    await t.clock.advance(0);
    t.link.deliver(syn(PEER, FAR, { flags: 'R', seq: 100 }));
    t.link.deliver(syn(PEER, FAR, { flags: 'R', seq: 101, sourcePort: 40_001 }));
    await t.clock.advance(0);
    expect(t.withdrawn).to.deep.equal([]);
    t.link.deliver(syn(PEER, FAR, { flags: 'R', seq: 101 }));
    await t.clock.advance(0);
    expect(t.withdrawn).to.deep.equal([[t.asked[0], 'reset']]);
    expect(t.pending.size).to.equal(0);
    expect(t.pending.accept(t.asked[0] as PendingSyn, new TcpSettings(t.stack.sysctl))).to.equal(undefined);
    t.pending.refuse(t.asked[0] as PendingSyn);
    expect(await t.sent()).to.deep.equal([]);
  });

  it('another SYN from the same port is another question', async () => {
    const t = proxy();
    t.link.deliver(syn(PEER, FAR));
    t.link.deliver(syn(PEER, FAR, { seq: 100 }));
    t.link.deliver(syn(PEER, FAR, { seq: 5000 }));
    await t.clock.advance(0);
    expect(t.asked.map(({ seq }) => seq)).to.deep.equal([100, 5000]);
    expect(t.withdrawn).to.deep.equal([[t.asked[0], 'reset']]);
    t.pending.refuse(t.asked[1] as PendingSyn);
    expect((await t.sent()).map(({ flags, ack }) => [flags, ack])).to.deep.equal([['RA', 5001]]);
  });

  it('what is no bare SYN is answered as at a closed port', async () => {
    const t = proxy();
    for (const flags of ['A', 'SA', 'SF', 'F']) t.link.deliver(syn(PEER, FAR, { flags }));
    expect(t.asked).to.have.length(0);
    expect((await t.sent()).map(({ flags }) => flags)).to.deep.equal(['R', 'R', 'RA', 'RA']);
    // Also while a SYN is undecided.
    t.link.deliver(syn(PEER, FAR));
    t.link.deliver(syn(PEER, FAR, { flags: 'A', seq: 101, ack: 5 }));
    expect((await t.sent()).map(({ flags, seq }) => [flags, seq])).to.deep.equal([['R', 5]]);
    expect(t.pending.size).to.equal(1);
  });

  it('the handshake does without cookies, and a lost ACK ends it', async () => {
    const t = proxy();
    t.stack.sysctl.tcp_syncookies = 2;
    t.link.deliver(syn(PEER, FAR));
    await t.clock.advance(0);
    const listener = t.pending.accept(t.asked[0] as PendingSyn, new TcpSettings(t.stack.sysctl));
    let told = 0;
    if (listener !== undefined) listener.user = { ready: () => told++ };
    expect(listener?.embryos.size).to.equal(1);
    await t.clock.advance(200_000);
    expect(told).to.equal(1);
    expect(listener?.take()).to.equal(undefined);
    expect(listener?.embryos.size).to.equal(0);
  });

  it('when the link goes down, what it took for others does not move to another link', () => {
    const t = proxy();
    const spare = t.stack.addInterface(new TapLink('spare'), { addresses: [prefix('10.3.0.1/24')] });
    t.stack.addRoute({ destination: address('0.0.0.0'), bits: 0, interface: spare });
    const { network } = t.stack;
    const [foreign, own] = [FAR, '10.0.0.1'].map((local) => network.pathBack(t.from, address(local), address(PEER), 6));
    t.from.down();
    expect(network.otherPath(foreign as never)).to.equal(undefined);
    expect(network.otherPath(own as never)?.egress).to.equal(spare);
  });

  for (const echo of [false, true])
    it(`echo requests to others are ${echo ? 'answered with { echo: true }' : 'not answered'}`, async () => {
      const t = proxy();
      t.from.echoAny = echo;
      for (const to of [FAR, '10.0.0.1']) {
        const bytes = buildIp(address(PEER).w3, address(to).w3, 1, 16);
        writeEchoRequest(new DataView(bytes.buffer), 20, 16, 1, 2);
        t.link.deliver(bytes);
      }
      await t.clock.advance(0);
      const sources = t.link.drain().map((bytes) => readIp(bytes).source);
      expect(sources).to.deep.equal([...(echo ? [FAR] : []), '10.0.0.1'].map((text) => address(text).w3));
    });

  for (const echo of [false, true])
    it(`IPv6: echo requests to others are ${echo ? 'answered with { echo: true }' : 'not answered'}`, () => {
      const t = new Wire6();
      const [any] = t.stack.interfaces as [Interface];
      any.acceptAny = true;
      any.echoAny = echo;
      const destinations = ['2001:db8::77', 'fd00::2', 'ff02::1'];
      for (const to of destinations) t.inject(buildIcmp6(128, 0, 1, new Uint8Array(8), { destination: address(to) }));
      expect(t.link.drain()).to.have.length(echo ? 3 : 2);
    });

  it('a SYN that a listener has answered meanwhile, when it came again, is answered no more', async () => {
    for (const decide of ['accept', 'refuse'] as const) {
      const t = proxy();
      t.link.deliver(syn(PEER, FAR));
      await t.clock.advance(0);
      const listener = createSocket(t.stack, AF_INET, SOCK_STREAM, 0) as Socket;
      expect([listener.bind({ address: IPV4_ANY, port: 80 }), listener.listen(1)]).to.deep.equal([0, 0]);
      t.link.deliver(syn(PEER, FAR));
      const [answer] = await t.sent();
      const asked = t.asked[0] as PendingSyn;
      if (decide === 'refuse') t.pending.refuse(asked);
      else expect(t.pending.accept(asked, new TcpSettings(t.stack.sysctl))).to.equal(undefined);
      expect(await t.sent()).to.deep.equal([]);
      t.link.deliver(syn(PEER, FAR, { flags: 'A', seq: 101, ack: (answer?.seq as number) + 1 }));
      await t.clock.advance(0);
      expect(t.stack.sockets().map(({ state }) => state)).to.deep.equal(['LISTEN', 'ESTABLISHED']);
      expect((listener.accept() as Socket).close()).to.equal(0);
    }
  });
});
