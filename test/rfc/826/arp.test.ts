import { expect } from 'chai';
import { ALL, arpFrame, ipPacket, OTHER, PEER, US } from '../../support/ethernet-frames.ts';
import { type EthernetWire, ethernetWire } from '../../support/ethernet-wire.ts';

const REPLY = { op: 'reply', sender: '10.0.0.2', target: '10.0.0.1' } as const;

/** A wire on which the peer is known. */
function acquainted(): EthernetWire {
  const wire = ethernetWire();
  wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
  wire.arrives(arpFrame(REPLY));
  wire.said();
  return wire;
}

describe('RFC 826: ARP', () => {
  it('Packet Generation: the first packet to a neighbour asks everybody, and waits for the answer', () => {
    const wire = ethernetWire();
    expect(wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1), ipPacket('10.0.0.1', '10.0.0.2', 2))).to.equal(2);
    expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.2 tell 10.0.0.1']);
    expect(wire.neighbours()).to.deep.equal(['10.0.0.2 - INCOMPLETE']);
    wire.arrives(arpFrame(REPLY));
    expect(wire.said()).to.deep.equal(['us>peer ip 10.0.0.1>10.0.0.2 #1', 'us>peer ip 10.0.0.1>10.0.0.2 #2']);
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} REACHABLE`]);
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 3));
    expect(wire.said()).to.deep.equal(['us>peer ip 10.0.0.1>10.0.0.2 #3']);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('Packet Generation: what goes through a gateway asks for the gateway', () => {
    const wire = ethernetWire();
    wire.sendVia('10.0.0.254', ipPacket('10.0.0.1', '192.0.2.7', 1));
    expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.254 tell 10.0.0.1']);
    wire.arrives(arpFrame({ ...REPLY, sender: '10.0.0.254' }));
    expect(wire.said()).to.deep.equal(['us>peer ip 10.0.0.1>192.0.2.7 #1']);
  });

  it('Packet Generation: for a packet that is forwarded, the address on the neighbour’s network asks, or any (Linux: arp_announce 0)', () => {
    const wire = ethernetWire({ addresses: ['192.0.2.1/24', '10.0.0.1/24'] });
    wire.down(ipPacket('198.51.100.1', '10.0.0.2', 1), ipPacket('198.51.100.1', '203.0.113.2', 2));
    expect(wire.said()).to.deep.equal([
      'us>all arp who-has 10.0.0.2 tell 10.0.0.1',
      'us>all arp who-has 203.0.113.2 tell 192.0.2.1',
    ]);
  });

  it('Packet Reception: who asks for our address is answered, and is known from then on', () => {
    const wire = ethernetWire();
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' }));
    expect(wire.said()).to.deep.equal(['us>peer arp 10.0.0.1 is-at us for 10.0.0.2']);
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} STALE`]);
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    expect(wire.said()).to.deep.equal(['us>peer ip 10.0.0.1>10.0.0.2 #1']);
    // Moved: the question of the same host from elsewhere says so.
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.1', from: OTHER }));
    expect(wire.said()).to.deep.equal(['us>other arp 10.0.0.1 is-at us for 10.0.0.2']);
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${OTHER} STALE`]);
  });

  it('Packet Reception: a question for another makes no entry, and is not answered', () => {
    const wire = ethernetWire();
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.9' }));
    expect([wire.said(), wire.neighbours()]).to.deep.equal([[], []]);
  });

  it('Packet Reception: an answer that nobody asked for makes no entry', () => {
    const wire = ethernetWire();
    wire.arrives(arpFrame(REPLY));
    expect(wire.neighbours()).to.deep.equal([]);
    expect(wire.link.statistics.arpRepliesReceived).to.equal(1);
  });

  it('Packet Reception: nobody off our networks becomes a neighbour by asking', () => {
    const wire = ethernetWire();
    wire.arrives(arpFrame({ sender: '192.0.2.1', target: '10.0.0.1' }));
    expect(wire.said()).to.deep.equal(['us>peer arp 10.0.0.1 is-at us for 192.0.2.1']);
    expect(wire.neighbours()).to.deep.equal([]);
  });

  it('Packet Reception: an entry that exists is merged with what others are told', async () => {
    const wire = acquainted();
    await wire.clock.advance(1000);
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.9', from: OTHER }));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${OTHER} STALE`]);
  });

  it('Packet Reception: of two answers within a second the first counts (Linux: locktime)', async () => {
    const wire = acquainted();
    await wire.clock.advance(999);
    wire.arrives(arpFrame({ ...REPLY, from: OTHER }));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} REACHABLE`]);
    await wire.clock.advance(1);
    wire.arrives(arpFrame({ ...REPLY, from: OTHER }));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${OTHER} REACHABLE`]);
  });

  it('Packet Reception: an announcement is followed at once, and confirms nothing', () => {
    const wire = acquainted();
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.2', from: OTHER }));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${OTHER} STALE`]);
  });

  it('Packet Reception: other hardware, protocols, lengths and operations are dropped', () => {
    const wire = ethernetWire();
    const good = arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' });
    for (const at of [15, 16, 18, 19, 20, 21]) {
      const bad = good.slice();
      bad[at] = (bad[at] as number) ^ 0x40;
      wire.arrives(bad);
    }
    wire.arrives(good.slice(0, 41));
    expect(wire.said()).to.deep.equal([]);
    expect([...wire.link.statistics.dropped]).to.deep.equal([
      ['arp-bad-format', 6],
      ['arp-truncated', 1],
    ]);
  });

  it('RFC 1812 3.3.2: nobody is at the address of a group', () => {
    const wire = ethernetWire();
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    wire.arrives(arpFrame({ ...REPLY, hardware: '01:00:5e:00:00:02' }), arpFrame({ ...REPLY, hardware: ALL }));
    expect(wire.neighbours()).to.deep.equal(['10.0.0.2 - INCOMPLETE']);
  });

  it('RFC 1122 2.3.2.1: a neighbour that does not answer is asked once a second, three times', async () => {
    const wire = ethernetWire();
    const asked: number[] = [];
    for (let i = 0; i < 50; i++) {
      wire.down(ipPacket('10.0.0.1', '10.0.0.2', i));
      if (wire.said().length > 0) asked.push(wire.clock.now());
      await wire.clock.advance(50);
    }
    expect(asked).to.deep.equal([0, 1000, 2000]);
  });

  it('RFC 1122 2.3.2.2: packets wait in a queue that is bounded, the latest are kept', async () => {
    const wire = ethernetWire();
    for (let i = 0; i < 110; i++) wire.down(ipPacket('10.0.0.1', '10.0.0.2', i));
    wire.said();
    wire.arrives(arpFrame(REPLY));
    const sent = wire.said();
    expect([sent.length, sent[0], sent[100]]).to.deep.equal([
      101,
      'us>peer ip 10.0.0.1>10.0.0.2 #9',
      'us>peer ip 10.0.0.1>10.0.0.2 #109',
    ]);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('RFC 1122 3.3.4.2, Linux: when nobody answers, the host hears of each packet: host unreachable', async () => {
    const wire = ethernetWire();
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1), ipPacket('10.0.0.1', '10.0.0.2', 2, 1000));
    await wire.clock.advance(2999);
    expect(wire.heard()).to.deep.equal([]);
    await wire.clock.advance(1);
    const [first, second] = wire.heard() as [Uint8Array, Uint8Array];
    // From 10.0.0.1 to itself: ICMP 3, 1, and the packet.
    expect([...first.subarray(12, 22)]).to.deep.equal([10, 0, 0, 1, 10, 0, 0, 1, 3, 1]);
    expect([...first.subarray(28)]).to.deep.equal([...ipPacket('10.0.0.1', '10.0.0.2', 1)]);
    // RFC 1812 4.3.2.3.
    expect(second.length).to.equal(576);
    expect(wire.neighbours()).to.deep.equal(['10.0.0.2 - FAILED']);
    expect([wire.link.statistics.unreachable, wire.host.slab.live]).to.deep.equal([2, 0]);
    // The next packet asks anew; and of those that were only forwarded the host is not told.
    wire.said();
    wire.down(ipPacket('192.0.2.1', '10.0.0.2', 3));
    expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.2 tell 10.0.0.1']);
    await wire.clock.advance(3000);
    expect([wire.heard(), wire.link.statistics.unreachable]).to.deep.equal([[], 3]);
  });

  it('a late answer to a question that was given up makes no entry', async () => {
    const wire = ethernetWire();
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    await wire.clock.advance(3000);
    wire.arrives(arpFrame(REPLY));
    expect(wire.neighbours()).to.deep.equal(['10.0.0.2 - FAILED']);
  });

  it('RFC 1122 2.3.2.1: entries age: what is used in doubt is probed, by unicast, and believed again when it answers', async () => {
    const wire = acquainted();
    // base_reachable_time times 0.5 to 1.5.
    await wire.clock.advance(14_999);
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} REACHABLE`]);
    await wire.clock.advance(30_001);
    wire.said();
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 2));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} DELAY`]);
    expect(wire.said()).to.deep.equal(['us>peer ip 10.0.0.1>10.0.0.2 #2']);
    await wire.clock.advance(4999);
    expect(wire.said()).to.deep.equal([]);
    await wire.clock.advance(1);
    expect(wire.said()).to.deep.equal(['us>peer arp who-has 10.0.0.2 tell 10.0.0.1']);
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} PROBE`]);
    await wire.clock.advance(1000);
    expect(wire.said()).to.deep.equal(['us>peer arp who-has 10.0.0.2 tell 10.0.0.1']);
    wire.arrives(arpFrame(REPLY));
    expect(wire.neighbours()).to.deep.equal([`10.0.0.2 ${PEER} REACHABLE`]);
    await wire.clock.advance(5000);
    expect(wire.said()).to.deep.equal([]);
  });

  it('RFC 1122 2.3.2.1: a neighbour that is gone is forgotten after three probes, and asked for again', async () => {
    const wire = acquainted();
    await wire.clock.advance(50_000);
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    wire.said();
    await wire.clock.advance(8000);
    expect(wire.said()).to.deep.equal(Array(3).fill('us>peer arp who-has 10.0.0.2 tell 10.0.0.1'));
    expect(wire.neighbours()).to.deep.equal(['10.0.0.2 - FAILED']);
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 2));
    expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.2 tell 10.0.0.1']);
  });

  it('the echo of our own question, from a repeater, is nobody else', () => {
    const wire = ethernetWire();
    wire.arrives(arpFrame({ from: US, sender: '10.0.0.1', target: '10.0.0.2' }));
    wire.arrives(arpFrame({ from: OTHER, hardware: US, sender: '10.0.0.1', target: '10.0.0.2' }));
    expect([wire.link.statistics.conflicts, wire.said(), wire.neighbours()]).to.deep.equal([0, [], []]);
  });
});
