import { expect } from 'chai';
import fc from 'fast-check';
import { captured } from '../../src/link/captured.ts';
import { createEthernet, type EthernetOptions } from '../../src/link/ethernet.ts';
import { impaired } from '../../src/link/impaired.ts';
import { CHECKSUM_PARTIAL, CHECKSUM_VALIDATED, type Packet } from '../../src/link/packet.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { Slab } from '../../src/link/slab.ts';
import { createSwitch } from '../../src/link/switch.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { ALL, arpFrame, frame, ipPacket, ndFrame, OTHER, PEER, station, told, US } from '../support/ethernet-frames.ts';
import { type EthernetWire, ethernetWire } from '../support/ethernet-wire.ts';
import { batchOf, bytesOf, Collector, drop, faultOf, pattern, tcpPacket } from './collector.ts';

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const incoming = (packet: Uint8Array, to = US, from = PEER) =>
  frame(from, to, packet[0] === 0x45 ? IPV4 : IPV6, packet);

/** Makes the peer known, at 10.0.0.2 and 10.9.0.2. */
function introduce(wire: EthernetWire, address = '10.0.0.2'): void {
  wire.arrives(arpFrame({ sender: address, target: '10.0.0.1' }));
  wire.said();
}

describe('createEthernet: frames that come in', () => {
  it('RFC 894, RFC 2464 3: hands up IP packets for our hardware address, without header and padding', () => {
    const wire = ethernetWire();
    const packets = [ipPacket('10.0.0.2', '10.0.0.1', 1), ipPacket('fd00::2', 'fd00::1', 2)];
    wire.arrives(...packets.map((packet) => incoming(Uint8Array.from([...packet, ...new Array<number>(18).fill(0)]))));
    expect(wire.heard()).to.deep.equal(packets);
    expect(wire.link.statistics.packetsReceived).to.equal(2);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('leaves a packet as it is whose length says more, or less, than can be: the stack will count it', () => {
    const wire = ethernetWire();
    for (const said of [0, 19, 29, 1500]) {
      const packet = ipPacket('10.0.0.2', '10.0.0.1', 1);
      packet[2] = said >> 8;
      packet[3] = said;
      wire.arrives(incoming(packet));
      expect(wire.heard()).to.deep.equal([packet]);
    }
  });

  it('takes broadcasts, all hosts, all nodes and the solicited-node groups of its addresses, and nothing else', () => {
    const wire = ethernetWire();
    wire.arrives(
      incoming(ipPacket('10.0.0.2', '10.0.0.255', 1), ALL),
      incoming(ipPacket('10.0.0.2', '224.0.0.1', 2), '01:00:5e:00:00:01'),
      incoming(ipPacket('fd00::2', 'ff02::1', 3), '33:33:00:00:00:01'),
      incoming(ipPacket('fd00::2', 'ff02::1:ff00:1', 4), '33:33:ff:00:00:01'),
    );
    expect(wire.heard().map((bytes) => bytes[bytes[0] === 0x45 ? 20 : 40])).to.deep.equal([1, 2, 3, 4]);
    wire.arrives(
      incoming(ipPacket('10.0.0.2', '10.0.0.1', 1), OTHER),
      incoming(ipPacket('10.0.0.2', '224.0.0.251', 2), '01:00:5e:00:00:fb'),
      incoming(ipPacket('fd00::2', 'ff02::fb', 3), '33:33:00:00:00:fb'),
      incoming(ipPacket('fd00::2', 'ff02::1:ff00:2', 4), '33:33:ff:00:00:02'),
    );
    expect([wire.heard(), [...wire.link.statistics.dropped]]).to.deep.equal([[], [['not-for-us', 4]]]);
  });

  it('RFC 1122 3.3.6: what came to all of Ethernet but is for one of IP is dropped', () => {
    const wire = ethernetWire();
    wire.arrives(
      incoming(ipPacket('10.0.0.2', '10.0.0.1', 1), ALL),
      incoming(ipPacket('fd00::2', 'fd00::1', 2), '33:33:00:00:00:01'),
    );
    expect([wire.heard(), [...wire.link.statistics.dropped]]).to.deep.equal([[], [['unicast-in-group-frame', 2]]]);
  });

  it('counts and drops tagged frames, those of IEEE 802.3, unknown types, stumps, groups as senders, and echoes of its own', () => {
    const wire = ethernetWire();
    const packet = ipPacket('10.0.0.2', '10.0.0.1', 1);
    wire.arrives(
      frame(PEER, US, 0x8100, packet),
      frame(PEER, US, 0x88a8, packet),
      frame(PEER, US, 28, packet),
      frame(PEER, US, 0x88cc, packet),
      frame(PEER, US, IPV4, packet).subarray(0, 13),
      frame('03:00:00:00:00:01', US, IPV4, packet),
      frame(US, US, IPV4, packet),
      frame(PEER, US, IPV6, packet),
      frame(PEER, US, IPV4, ipPacket('fd00::2', 'fd00::1', 1)),
      frame(PEER, US, IPV4, packet.subarray(0, 19)),
    );
    expect(Object.fromEntries(wire.link.statistics.dropped)).to.deep.equal({
      vlan: 2,
      'ieee-802.3': 1,
      'unknown-type': 1,
      'short-frame': 1,
      'group-source': 1,
      echo: 1,
      'not-ipv6': 1,
      'not-ipv4': 2,
    });
    expect([wire.heard(), wire.said(), wire.host.slab.live]).to.deep.equal([[], [], 0]);
  });

  it('hands up ICMPv6 that is not neighbour discovery', () => {
    const wire = ethernetWire();
    const echo = ipPacket('fd00::2', 'fd00::1', 128);
    echo[6] = 58;
    wire.arrives(incoming(echo));
    expect(wire.heard()).to.deep.equal([echo]);
  });
});

describe('createEthernet: packets that go out', () => {
  const goes = (destination: string, line: string): void => {
    const wire = ethernetWire();
    wire.down(ipPacket(destination.includes(':') ? 'fd00::1' : '10.0.0.1', destination, 7));
    expect(wire.said()).to.deep.equal([line]);
  };

  it('RFC 894, RFC 1122 3.3.6: broadcasts need no neighbour', () => {
    goes('255.255.255.255', 'us>all ip 10.0.0.1>255.255.255.255 #7');
    goes('10.0.0.255', 'us>all ip 10.0.0.1>10.0.0.255 #7');
  });

  it('RFC 1112 6.4: nor do groups of IPv4, by their low 23 bits', () =>
    goes('239.255.1.2', 'us>01:00:5e:7f:01:02 ip 10.0.0.1>239.255.1.2 #7'));

  it('RFC 2464 7: nor do groups of IPv6, by their low 32 bits', () =>
    goes('ff05::1:2:3', 'us>33:33:00:02:00:03 ip fd00::1>ff05::1:2:3 #7'));

  it('RFC 3021: of two addresses none is a broadcast', () => {
    const wire = ethernetWire({ addresses: ['10.0.0.0/31'] });
    wire.down(ipPacket('10.0.0.0', '10.0.0.1', 7));
    expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.1 tell 10.0.0.0']);
  });

  it('any length, headers and parts, arrives as it was', () => {
    const wire = ethernetWire({ addresses: ['10.9.0.1/24'] });
    wire.arrives(arpFrame({ sender: '10.9.0.2', target: '10.9.0.1' }));
    for (const [payload, parts] of [[0], [100], [1000, [0]], [1400, [7, 700]]] as [number, number[]?][]) {
      const packet = tcpPacket(wire.host.slab, {
        payload: pattern(payload),
        ...(parts === undefined ? {} : { parts }),
      });
      const bytes = bytesOf(packet);
      wire.link.send(batchOf(packet));
      const sent = wire.frames.sent.at(-1) as Uint8Array;
      expect(Buffer.compare(sent.subarray(14), bytes)).to.equal(0);
      expect(faultOf(sent.subarray(14))).to.equal('');
      drop(packet);
    }
    expect(wire.host.slab.live).to.equal(0);
  });

  it('carries the state of offload through, both ways, also for packets that waited', () => {
    const wire = ethernetWire({ addresses: ['10.9.0.1/24'], offload: true });
    expect(wire.link.capabilities).to.deep.equal({ mtu: 1500, checksumOffload: true, segmentationOffload: 65_535 });
    const packet = tcpPacket(wire.host.slab, { payload: pattern(5000), segmentSize: 1448, parts: [1000] });
    wire.link.send(batchOf(packet));
    wire.arrives(arpFrame({ op: 'reply', sender: '10.9.0.2', target: '10.9.0.1' }));
    wire.link.send(batchOf(packet));
    const expected = { checksum: CHECKSUM_PARTIAL, transportOffset: 34, segmentSize: 1448 };
    expect(wire.frames.offload.slice(1)).to.deep.equal([expected, expected]);
    drop(packet);
    const inbound = tcpPacket(wire.host.slab, { payload: pattern(3000), segmentSize: 1000 });
    let seen: Partial<Packet> = {};
    wire.host.onReceive = ({ packets: [first] }) => {
      const { checksum, transportOffset, segmentSize, length } = first as Packet;
      seen = { checksum, transportOffset, segmentSize, length };
    };
    inbound.offset -= 8;
    const bytes = frame(PEER, US, IPV4, bytesOf(Object.assign(inbound, { offset: inbound.offset + 8 })));
    inbound.chunk.bytes.set(bytes, 0);
    Object.assign(inbound, { offset: 0, length: bytes.length, transportOffset: 34, checksum: CHECKSUM_VALIDATED });
    wire.frames.receiver?.receive(batchOf(inbound));
    expect(seen).to.deep.equal({ checksum: CHECKSUM_VALIDATED, transportOffset: 20, segmentSize: 1000, length: 3040 });
    drop(inbound);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('takes as many as the link beneath has room for, and says when there is more', () => {
    const wire = ethernetWire();
    introduce(wire);
    wire.frames.room = 70;
    const many = Array.from({ length: 100 }, (_, i) => ipPacket('10.0.0.1', '10.0.0.2', i));
    expect(wire.down(...many)).to.equal(70);
    expect(wire.said().at(-1)).to.equal('us>peer ip 10.0.0.1>10.0.0.2 #69');
    expect(wire.down(...many.slice(70))).to.equal(0);
    wire.frames.room = Infinity;
    wire.frames.receiver?.writable();
    expect(wire.host.events).to.deep.equal(['writable']);
    expect(wire.down(...many.slice(70))).to.equal(30);
    expect(wire.said().length).to.equal(30);
  });

  it('a packet that has to wait is not taken before those in front of it have gone', () => {
    const wire = ethernetWire();
    introduce(wire);
    wire.frames.room = 1;
    const three = [
      ipPacket('10.0.0.1', '10.0.0.2', 1),
      ipPacket('10.0.0.1', '10.0.0.2', 2),
      ipPacket('10.0.0.1', '10.0.0.3', 3),
    ];
    expect(wire.down(...three)).to.equal(1);
    expect(wire.neighbours().length).to.equal(2);
    wire.frames.room = Infinity;
    expect(wire.down(...three.slice(1))).to.equal(2);
    expect(wire.said()).to.deep.equal([
      'us>peer ip 10.0.0.1>10.0.0.2 #1',
      'us>peer ip 10.0.0.1>10.0.0.2 #2',
      'us>all arp who-has 10.0.0.3 tell 10.0.0.1',
    ]);
  });

  it('what waited for a neighbour goes on when there is room, before anything else', () => {
    const wire = ethernetWire();
    wire.down(...Array.from({ length: 90 }, (_, i) => ipPacket('10.0.0.1', '10.0.0.2', i)));
    wire.said();
    wire.frames.room = 80;
    wire.arrives(arpFrame({ op: 'reply', sender: '10.0.0.2', target: '10.0.0.1' }));
    expect(wire.said().length).to.equal(80);
    wire.frames.room = 1;
    expect(wire.down(ipPacket('10.0.0.1', '10.0.0.2', 90))).to.equal(0);
    expect(wire.said()).to.deep.equal(['us>peer ip 10.0.0.1>10.0.0.2 #80']);
    wire.frames.room = 5;
    wire.frames.receiver?.writable();
    expect(wire.host.events).to.deep.equal([]);
    wire.frames.room = Infinity;
    wire.frames.receiver?.writable();
    expect(wire.said().at(-1)).to.equal('us>peer ip 10.0.0.1>10.0.0.2 #89');
    expect([wire.host.events, wire.host.slab.live]).to.deep.equal([['writable'], 0]);
    expect(wire.down(ipPacket('10.0.0.1', '10.0.0.2', 90))).to.equal(1);
  });

  it('a question is lost when the link beneath is full, and asked again', async () => {
    const wire = ethernetWire();
    wire.frames.room = 0;
    expect(wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1))).to.equal(1);
    wire.frames.room = Infinity;
    await wire.clock.advance(1000);
    expect(wire.said()).to.deep.equal(['us>all arp who-has 10.0.0.2 tell 10.0.0.1']);
  });

  it('what is no IP packet is lost', () => {
    const wire = ethernetWire();
    expect(wire.down(Uint8Array.of(0x45, 0), ipPacket('10.0.0.1', '10.0.0.255', 1))).to.equal(2);
    expect(wire.said().length).to.equal(1);
  });
});

describe('createEthernet: floods and fuzz', () => {
  it('a flood of ARP leaves a bounded table, and a neighbour that is needed finds its place', async () => {
    const wire = ethernetWire({ addresses: ['10.0.0.1/8'] });
    for (let i = 0; i < 6000; i++) {
      const sender = `10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
      wire.arrives(arpFrame({ sender, target: '10.0.0.1', from: station(i) }));
      if (i % 100 === 0) await wire.clock.advance(1);
    }
    expect(wire.link.neighbours().length).to.be.within(128, 1024);
    expect(wire.link.statistics.arpRepliesSent).to.equal(6000);
    wire.said();
    wire.down(ipPacket('10.0.0.1', '10.200.0.1', 1));
    wire.arrives(arpFrame({ op: 'reply', sender: '10.200.0.1', target: '10.0.0.1' }));
    expect(wire.said()).to.deep.equal([
      'us>all arp who-has 10.200.0.1 tell 10.0.0.1',
      'us>peer ip 10.0.0.1>10.200.0.1 #1',
    ]);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('in a flood, what was used stays, and gives way to nobody that asks', () => {
    const wire = ethernetWire({ addresses: ['10.0.0.1/8'] });
    introduce(wire);
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    wire.arrives(arpFrame({ sender: '10.0.0.2', target: '10.0.0.1', from: OTHER }));
    for (let i = 0; i < 2000; i++)
      wire.arrives(arpFrame({ sender: `10.1.${i >> 8}.${i & 255}`, target: '10.0.0.1', from: station(i) }));
    expect(wire.neighbours()).to.include(`10.0.0.2 ${OTHER} STALE`);
  });

  it('a flood of solicitations likewise', () => {
    const wire = ethernetWire();
    for (let i = 0; i < 2000; i++) {
      const source = `fd00::1:${i.toString(16)}`;
      wire.arrives(
        ndFrame({
          type: 'ns',
          source,
          destination: 'ff02::1:ff00:1',
          target: 'fd00::1',
          option: [1, station(i)],
          from: station(i),
        }),
      );
    }
    expect(wire.link.neighbours().length).to.be.within(128, 1024);
    expect(wire.link.statistics.advertisementsSent).to.equal(2000);
  });

  it('a scan of 10.0.0.0/8 through this host stays bounded: neighbours, packets and bytes; and then all is let go', async () => {
    const wire = ethernetWire({ addresses: ['10.0.0.1/8'] });
    let live = 0;
    for (let i = 0; i < 10_000; i++) {
      wire.down(ipPacket('10.0.0.1', `10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, i, 1400));
      if (i % 20 === 0) await wire.clock.advance(1);
      live = Math.max(live, wire.host.slab.live);
    }
    expect(wire.link.neighbours().length).to.equal(1024);
    // 1024 packets of 1420 bytes in chunks of 64 KiB, and what may lie beside them.
    expect(live).to.be.below(70);
    expect(wire.link.statistics.arpRequestsSent).to.be.below(5000);
    expect(wire.link.statistics.table_fulls).to.be.above(8000);
    expect(wire.link.statistics.forced_gc_runs).to.be.within(1, 100);
    await wire.clock.advance(3000);
    expect(wire.link.statistics.res_failed).to.equal(1024);
    expect(wire.neighbours().filter((line) => !line.endsWith('FAILED'))).to.deep.equal([]);
    expect(wire.host.slab.live).to.equal(0);
    // And others find their place.
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    expect(wire.neighbours()).to.include('10.0.0.2 - INCOMPLETE');
  });

  it('large packets for many neighbours that are silent hold no more than 4 MiB', async () => {
    const wire = ethernetWire({ addresses: ['10.0.0.1/8'], offload: true });
    const large = ipPacket('10.0.0.1', '10.0.0.1', 1, 60_000);
    for (let i = 0; i < 200; i++) {
      large.set([10, 1, 0, i], 16);
      wire.down(large, large, large, large);
    }
    expect(wire.host.slab.live).to.be.within(60, 70);
    await wire.clock.advance(3000);
    expect(wire.host.slab.live).to.equal(0);
    expect(wire.link.statistics.unresolved_discards).to.be.above(700);
  });

  const broken = fc.record({
    base: fc.constantFrom(
      arpFrame({ sender: '10.0.0.2', target: '10.0.0.1' }),
      arpFrame({ op: 'reply', sender: '10.0.0.3', target: '10.0.0.1' }),
      ndFrame({ type: 'ns', source: 'fd00::2', destination: 'ff02::1:ff00:1', target: 'fd00::1', option: [1, PEER] }),
      ndFrame({
        type: 'na',
        source: 'fd00::3',
        destination: 'fd00::1',
        target: 'fd00::3',
        flags: 'SO',
        option: [2, PEER],
      }),
      ndFrame({ type: 'ra', source: 'fe80::2', destination: 'ff02::1', option: [1, PEER] }),
      ndFrame({ type: 'redirect', source: 'fe80::2', destination: 'fd00::1', target: 'fe80::3' }),
      incoming(ipPacket('10.0.0.2', '10.0.0.1', 1)),
      incoming(ipPacket('fd00::2', 'fd00::1', 1)),
    ),
    changes: fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }),
    length: fc.nat(120),
    keep: fc.boolean(),
  });

  it('broken frames: nothing is thrown, nothing stays, and what goes up is never longer than what came', () => {
    fc.assert(
      fc.property(fc.array(broken, { maxLength: 20 }), (frames) => {
        const wire = ethernetWire({ neighbour: { gc_thresh3: 8, gc_thresh2: 4, gc_thresh1: 2 } });
        wire.down(ipPacket('10.0.0.1', '10.0.0.3', 1), ipPacket('fd00::1', 'fd00::3', 1));
        for (const { base, changes, length, keep } of frames) {
          const bytes = base.slice(0, keep ? base.length : length);
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          wire.arrives(bytes);
          for (const up of wire.heard()) expect(up.length).to.be.at.most(bytes.length - 14);
        }
        expect(wire.link.neighbours().length).to.be.at.most(16);
        for (const line of wire.said()) expect(line).to.not.match(/checksum|malformed|hop limit/);
        wire.link.close();
        expect(wire.host.slab.live).to.equal(0);
      }),
      { numRuns: 150 },
    );
  });
});

describe('createEthernet: the link', () => {
  it('passes on carrier and end; what waits is let go', () => {
    const wire = ethernetWire();
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    wire.frames.receiver?.down();
    expect([wire.neighbours(), wire.host.slab.live]).to.deep.equal([[], 0]);
    wire.frames.receiver?.up();
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1));
    wire.frames.receiver?.closed(new Error('unplugged'));
    expect(wire.host.events).to.deep.equal(['down', 'up', 'closed: unplugged']);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('closes: no timer is left, nothing comes up, nothing can be sent', async () => {
    const wire = ethernetWire({ duplicateDetection: true });
    wire.down(ipPacket('10.0.0.1', '10.0.0.2', 1), ipPacket('10.0.0.7', '10.0.0.2', 1));
    wire.link.close();
    wire.link.close();
    expect([wire.frames.closed, wire.host.slab.live, wire.clock.pending.foreground]).to.deep.equal([true, 0, 0]);
    wire.arrives(incoming(ipPacket('10.0.0.2', '10.0.0.1', 1)));
    expect(wire.heard()).to.deep.equal([]);
    expect(() => wire.down()).to.throw(Error, 'was closed');
    expect(() => wire.link.attach(wire.host)).to.throw(Error, 'was closed');
  });

  it('takes the hardware address that it is given, that its port offers, or a random one of a single station', () => {
    const [frames] = createPipe({ mtu: 1514 });
    const of = (options: EthernetOptions) => createEthernet(frames, options).hardwareAddress;
    expect([...of({ hardwareAddress: 'de-ad-be-ef-00-01' })]).to.deep.equal([0xde, 0xad, 0xbe, 0xef, 0, 1]);
    expect([...of({ seed: 1 })])
      .to.deep.equal([...of({ seed: 1 })])
      .and.not.deep.equal([...of({ seed: 2 })]);
    for (let seed = 0; seed < 50; seed++) expect((of({ seed })[0] as number) & 3).to.equal(2);
    const lan = createSwitch({ seed: 1 });
    const port = lan.port();
    expect(createEthernet(port).hardwareAddress).to.deep.equal(port.hardwareAddress);
    expect(createEthernet(impaired(captured(port, { onPacket: () => {} }))).hardwareAddress).to.deep.equal(
      port.hardwareAddress,
    );
    expect(lan.port().hardwareAddress).to.not.deep.equal(port.hardwareAddress);
  });

  it('refuses wrong use', () => {
    const [frames] = createPipe({ mtu: 1514 });
    const wrong: [EthernetOptions, string][] = [
      [{ hardwareAddress: '01:00:5e:00:00:01' }, 'hardwareAddress'],
      [{ hardwareAddress: '00:00:00:00:00:00' }, 'hardwareAddress'],
      [{ hardwareAddress: '02:00:00:00:01' }, 'hardwareAddress'],
      [{ hardwareAddress: new Uint8Array(5) }, 'hardwareAddress'],
      [{ defence: 'maybe' as 'once' }, 'defence'],
      [{ duplicateDetection: 1 as unknown as boolean }, 'duplicateDetection'],
      [{ onConflict: 1 as unknown as () => void }, 'onConflict'],
      [{ name: '' }, 'name'],
      [{ seed: 1, random: { uint32: () => 0, float: () => 0 } }, 'random or seed'],
      [{ neighbour: { gc_thresh4: 1 } as object }, 'gc_thresh4'],
      [{ arp: false } as EthernetOptions, 'no option arp'],
    ];
    for (const [options, text] of wrong) expect(() => createEthernet(frames, options)).to.throw(TypeError, text);
    expect(() => createEthernet(frames, { neighbour: { mcast_solicit: 0 } })).to.throw(RangeError, 'mcast_solicit');
    expect(() => createEthernet(frames, { neighbour: { unres_qlen: 1.5 } })).to.throw(RangeError, 'unres_qlen');
    const [small] = createPipe({ mtu: 81 });
    expect(() => createEthernet(small)).to.throw(RangeError, '81 bytes');
    expect(() => createEthernet(undefined as unknown as typeof frames)).to.throw(TypeError, 'link of frames');
    const link = createEthernet(frames);
    expect([link.name, createEthernet(frames, { name: 'eth0' }).name]).to.deep.equal(['pipe0', 'eth0']);
    expect([link.neighbours(), link.addresses()]).to.deep.equal([[], []]);
    expect(() => link.send(batchOf())).to.throw(Error, 'not attached');
    new Collector(new VirtualClock(), link);
    expect(() => new Collector(new VirtualClock(), link)).to.throw(Error, 'has a receiver already');
  });
});

describe('impaired and captured, around a link of frames', () => {
  it('cut super-segments where the IP header lies, and say in the file that these are frames', async () => {
    const clock = new VirtualClock();
    const lan = createSwitch({ clock, seed: 1 });
    const seen: Uint8Array[] = [];
    lan.outside((bytes) => seen.push(bytes));
    const file: Uint8Array[] = [];
    const port = impaired(captured(lan.port(), { write: (bytes) => file.push(bytes) }));
    const host = new Collector(clock, port);
    const framed = tcpPacket(new Slab(), { payload: pattern(2500), segmentSize: 1000 });
    const bytes = frame(PEER, OTHER, IPV4, bytesOf(framed));
    framed.chunk.bytes.set(bytes);
    Object.assign(framed, { offset: 0, length: bytes.length, transportOffset: 34 });
    port.send(batchOf(framed));
    await clock.advance(0);
    expect(seen.map(({ length }) => length)).to.deep.equal([1054, 1054, 554]);
    for (const piece of seen)
      expect([told(piece).slice(0, 10), faultOf(piece.subarray(14))]).to.deep.equal(['peer>other', '']);
    // The interface description's link type: 1, Ethernet.
    expect((file[1] as Uint8Array)[8]).to.equal(1);
    port.close();
    expect(host.slab.live).to.equal(0);
  });
});
