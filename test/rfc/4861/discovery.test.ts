import { expect } from 'chai';
import { ipPacket, type NdSpec, ndFrame, OTHER, PEER, US } from '../../support/ethernet-frames.ts';
import { type EthernetWire, ethernetWire } from '../../support/ethernet-wire.ts';

const NS: NdSpec = {
  type: 'ns',
  source: 'fd00::2',
  destination: 'ff02::1:ff00:1',
  target: 'fd00::1',
  option: [1, PEER],
};
const NA: NdSpec = {
  type: 'na',
  source: 'fd00::2',
  destination: 'fd00::1',
  target: 'fd00::2',
  flags: 'SO',
  option: [2, PEER],
};
const QUESTION = 'us>33:33:ff:00:00:02 ns fd00::2 fd00::1>ff02::1:ff00:2 us';

/** A wire on which the peer is known: STALE, or, when it has answered, REACHABLE. */
function acquainted(state: 'STALE' | 'REACHABLE'): EthernetWire {
  const wire = ethernetWire();
  if (state === 'STALE') wire.arrives(ndFrame(NS));
  else {
    wire.down(ipPacket('fd00::1', 'fd00::2', 1));
    wire.arrives(ndFrame(NA));
  }
  wire.said();
  expect(wire.neighbours()).to.deep.equal([`fd00::2 ${PEER} ${state}`]);
  return wire;
}

function once(wire: EthernetWire, spec: NdSpec): string[] {
  wire.arrives(ndFrame(spec));
  return wire.neighbours();
}

describe('RFC 4861: neighbour discovery', () => {
  it('7.2.2: the first packet asks at the solicited-node address, from its own source, and waits', () => {
    const wire = ethernetWire({ addresses: ['fd00::9/64', 'fd00::1/64'] });
    wire.down(ipPacket('fd00::1', 'fd00::2', 1), ipPacket('fd00::1', 'fd00::2', 2));
    expect(wire.said()).to.deep.equal([QUESTION]);
    wire.arrives(ndFrame(NA));
    expect(wire.said()).to.deep.equal(['us>peer ip fd00::1>fd00::2 #1', 'us>peer ip fd00::1>fd00::2 #2']);
    expect([wire.neighbours(), wire.host.slab.live]).to.deep.equal([[`fd00::2 ${PEER} REACHABLE`], 0]);
  });

  it('7.2.2: what goes through a gateway asks for the gateway; a zone is none of the wire’s business', () => {
    const wire = ethernetWire();
    wire.sendVia('fe80::2', ipPacket('fd00::1', '2001:db8::7', 1));
    expect(wire.said()).to.deep.equal(['us>33:33:ff:00:00:02 ns fe80::2 fd00::1>ff02::1:ff00:2 us']);
    wire.arrives(ndFrame({ ...NA, source: 'fe80::2', target: 'fe80::2' }));
    expect(wire.said()).to.deep.equal(['us>peer ip fd00::1>2001:db8::7 #1']);
  });

  it('7.2.2: for a packet that is forwarded, any address of ours asks, a link-local one before others', () => {
    const wire = ethernetWire({ addresses: ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'] });
    wire.down(ipPacket('2001:db8::1', 'fd00::2', 1));
    expect(wire.said()).to.deep.equal(['us>33:33:ff:00:00:02 ns fd00::2 fe80::1>ff02::1:ff00:2 us']);
  });

  it('7.2.2: asked three times, a second apart; then address unreachable for each packet that waited', async () => {
    const wire = ethernetWire();
    wire.down(ipPacket('fd00::1', 'fd00::2', 1), ipPacket('fd00::1', 'fd00::2', 2, 1400));
    await wire.clock.advance(2999);
    expect([wire.said(), wire.heard()]).to.deep.equal([[QUESTION, QUESTION, QUESTION], []]);
    await wire.clock.advance(1);
    const [first, second] = wire.heard() as [Uint8Array, Uint8Array];
    // ICMPv6 1, 3 from fd00::1 to itself, the checksum right, and the packet.
    expect([first[6], first[7], first[40], first[41]]).to.deep.equal([58, 64, 1, 3]);
    expect([...first.subarray(8, 24)]).to.deep.equal([...first.subarray(24, 40)]);
    expect([...first.subarray(48)]).to.deep.equal([...ipPacket('fd00::1', 'fd00::2', 1)]);
    // RFC 4443 3.1.
    expect(second.length).to.equal(1280);
    expect([wire.neighbours(), wire.host.slab.live]).to.deep.equal([['fd00::2 - FAILED'], 0]);
  });

  it('7.2.3, 7.2.4: a solicitation is answered to its source, and its source is a STALE neighbour', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame(NS));
    expect(wire.said()).to.deep.equal(['us>peer na fd00::1 fd00::1>fd00::2 SO us']);
    expect(wire.neighbours()).to.deep.equal([`fd00::2 ${PEER} STALE`]);
    // 7.2.3: moved: STALE again; the same: nothing changes.
    wire.down(ipPacket('fd00::1', 'fd00::2', 1));
    expect(once(wire, NS)).to.deep.equal([`fd00::2 ${PEER} DELAY`]);
    expect(once(wire, { ...NS, option: [1, OTHER] })).to.deep.equal([`fd00::2 ${OTHER} STALE`]);
  });

  it('7.2.4: a router says that it is one', () => {
    const wire = ethernetWire();
    wire.host.isRouter = true;
    wire.arrives(ndFrame(NS));
    expect(wire.said()).to.deep.equal(['us>peer na fd00::1 fd00::1>fd00::2 RSO us']);
  });

  it('7.2.3: for an address that is not ours nobody is answered, nor learned', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame({ ...NS, target: 'fd00:1::1' }));
    expect([wire.said(), wire.neighbours()]).to.deep.equal([[], []]);
  });

  it('7.2.3: nobody off our networks becomes a neighbour by asking', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame({ ...NS, source: '2001:db8::2' }));
    expect(wire.said()).to.deep.equal(['us>peer na fd00::1 fd00::1>2001:db8::2 SO us']);
    expect(wire.neighbours()).to.deep.equal([]);
  });

  it('7.2.4: a unicast solicitation without an address is answered to a neighbour that is known, or looked for', () => {
    const wire = ethernetWire();
    const { option: _, ...bare } = NS;
    wire.arrives(ndFrame({ ...bare, destination: 'fd00::1' }));
    expect(wire.said()).to.deep.equal([QUESTION]);
    wire.arrives(ndFrame(NA));
    expect(wire.said()).to.deep.equal(['us>peer na fd00::1 fd00::1>fd00::2 SO us']);
    wire.arrives(ndFrame({ ...bare, destination: 'fd00::1' }));
    expect(wire.said()).to.deep.equal(['us>peer na fd00::1 fd00::1>fd00::2 SO us']);
    expect(wire.host.slab.live).to.equal(0);
  });

  it('7.2.5: an advertisement that nobody asked for makes no entry', () => {
    const wire = ethernetWire();
    expect(once(wire, NA)).to.deep.equal([]);
    expect(wire.link.statistics.advertisementsReceived).to.equal(1);
  });

  it('7.2.5, INCOMPLETE: no address, no news; unsolicited: STALE; the override flag does not count', () => {
    const wire = ethernetWire();
    wire.down(ipPacket('fd00::1', 'fd00::2', 1));
    const { option: _, ...bare } = NA;
    expect(once(wire, bare)).to.deep.equal(['fd00::2 - INCOMPLETE']);
    expect(once(wire, { ...NA, flags: 'R' })).to.deep.equal([`fd00::2 ${PEER} STALE router`]);
  });

  it('7.2.5 I: without override another address puts a REACHABLE neighbour in doubt, and changes no other', () => {
    const unsure = { ...NA, flags: 'SR', option: [2, OTHER] as const };
    expect(once(acquainted('REACHABLE'), unsure)).to.deep.equal([`fd00::2 ${PEER} STALE`]);
    expect(once(acquainted('STALE'), unsure)).to.deep.equal([`fd00::2 ${PEER} STALE`]);
  });

  it('7.2.5 II: with override it is followed: REACHABLE when solicited, else STALE', () => {
    const moved = { ...NA, option: [2, OTHER] as const };
    expect(once(acquainted('STALE'), moved)).to.deep.equal([`fd00::2 ${OTHER} REACHABLE`]);
    expect(once(acquainted('REACHABLE'), { ...moved, flags: 'O' })).to.deep.equal([`fd00::2 ${OTHER} STALE`]);
  });

  it('7.2.5 II: the same address, or none: solicited confirms, unsolicited changes nothing', () => {
    const { option: _, ...bare } = NA;
    expect(once(acquainted('STALE'), { ...NA, flags: 'S' })).to.deep.equal([`fd00::2 ${PEER} REACHABLE`]);
    expect(once(acquainted('STALE'), { ...bare, flags: 'S' })).to.deep.equal([`fd00::2 ${PEER} REACHABLE`]);
    expect(once(acquainted('STALE'), { ...NA, flags: 'O' })).to.deep.equal([`fd00::2 ${PEER} STALE`]);
    expect(once(acquainted('REACHABLE'), { ...NA, flags: 'O' })).to.deep.equal([`fd00::2 ${PEER} REACHABLE`]);
  });

  it('7.2.5 II: the router flag is taken over, both ways', () => {
    const wire = acquainted('STALE');
    expect(once(wire, { ...NA, flags: 'SOR' })).to.deep.equal([`fd00::2 ${PEER} REACHABLE router`]);
    expect(once(wire, NS)).to.deep.equal([`fd00::2 ${PEER} REACHABLE router`]);
    expect(once(wire, NA)).to.deep.equal([`fd00::2 ${PEER} REACHABLE`]);
  });

  it('7.3.3: REACHABLE, STALE, DELAY, PROBE: in doubt it is used on, and probed by unicast', async () => {
    const wire = acquainted('REACHABLE');
    await wire.clock.advance(45_001);
    wire.down(ipPacket('fd00::1', 'fd00::2', 2));
    expect(wire.said()).to.deep.equal(['us>peer ip fd00::1>fd00::2 #2']);
    expect(wire.neighbours()).to.deep.equal([`fd00::2 ${PEER} DELAY`]);
    await wire.clock.advance(5000);
    expect(wire.said()).to.deep.equal(['us>peer ns fd00::2 fd00::1>fd00::2 us']);
    wire.arrives(ndFrame({ ...NA, flags: 'S' }));
    expect(wire.neighbours()).to.deep.equal([`fd00::2 ${PEER} REACHABLE`]);
    await wire.clock.advance(50_000);
    wire.down(ipPacket('fd00::1', 'fd00::2', 3));
    await wire.clock.advance(8000);
    expect(wire.said()).to.deep.equal([
      'us>peer ip fd00::1>fd00::2 #3',
      ...Array(3).fill('us>peer ns fd00::2 fd00::1>fd00::2 us'),
    ]);
    expect(wire.neighbours()).to.deep.equal(['fd00::2 - FAILED']);
  });

  it('6.3.4: of a router’s advertisement its hardware address is taken over, and nothing else', () => {
    const wire = ethernetWire();
    const spec = { type: 'ra', source: 'fe80::2', destination: 'ff02::1', option: [1, PEER] } as const;
    expect(once(wire, spec)).to.deep.equal([`fe80::2 ${PEER} STALE router`]);
    expect(wire.link.statistics.routerAdvertisements).to.equal(1);
  });

  it('6.1.1: a host discards router solicitations; redirects are counted, and routes stay as they were set', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame({ type: 'rs', source: 'fe80::2', destination: 'ff02::1', option: [1, PEER] }));
    wire.arrives(
      ndFrame({ type: 'redirect', source: 'fe80::2', destination: 'fd00::1', target: 'fe80::3', option: [2, PEER] }),
    );
    expect([wire.neighbours(), wire.said(), wire.heard()]).to.deep.equal([[], [], []]);
    expect(wire.link.statistics.dropped.get('router-solicitation')).to.equal(1);
    expect(wire.link.statistics.redirects).to.equal(1);
  });
});

describe('RFC 4861 6.1, 7.1, 8.1: messages that are discarded', () => {
  const RA: NdSpec = { type: 'ra', source: 'fe80::2', destination: 'ff02::1', option: [1, PEER] };
  const REDIRECT: NdSpec = { type: 'redirect', source: 'fe80::2', destination: 'fd00::1', target: 'fe80::3' };
  const wrong: [what: string, spec: NdSpec, reason: string][] = [
    ['7.1.1: a solicitation with a hop limit of 254', { ...NS, hops: 254 }, 'nd-forwarded'],
    ['7.1.1: a solicitation with a wrong checksum', { ...NS, badChecksum: true }, 'nd-bad-checksum'],
    ['7.1.1: a solicitation with a code', { ...NS, code: 1 }, 'nd-bad-format'],
    ['7.1.1: a solicitation of 23 bytes', { ...NS, cut: 23 }, 'nd-truncated'],
    ['7.1.1: a solicitation for a group', { ...NS, target: 'ff02::1:ff00:1' }, 'nd-bad-format'],
    ['7.1.1: an option of length 0', { ...NS, more: [7, 0, 0, 0, 0, 0, 0, 0] }, 'nd-bad-option'],
    ['4.6: an option longer than the message', { ...NS, more: [7, 2, 0, 0, 0, 0, 0, 0] }, 'nd-bad-option'],
    ['4.6: half an option', { ...NS, more: [7] }, 'nd-bad-option'],
    [
      '7.1.1: from nobody, but not to a solicited-node address',
      { type: 'ns', source: '::', destination: 'ff02::1', target: 'fd00::1' },
      'nd-bad-format',
    ],
    ['7.1.1: from nobody, with an address', { ...NS, source: '::' }, 'nd-bad-format'],
    ['7.1.2: an advertisement with a hop limit of 1', { ...NA, hops: 1 }, 'nd-forwarded'],
    ['7.1.2: an advertisement with a wrong checksum', { ...NA, badChecksum: true }, 'nd-bad-checksum'],
    ['7.1.2: an advertisement with a code', { ...NA, code: 255 }, 'nd-bad-format'],
    ['7.1.2: an advertisement of 16 bytes', { ...NA, cut: 16 }, 'nd-truncated'],
    ['7.1.2: an advertisement about a group', { ...NA, target: 'ff02::2' }, 'nd-bad-format'],
    ['7.1.2: a solicited advertisement to a group', { ...NA, destination: 'ff02::1' }, 'nd-bad-format'],
    ['7.1.2: an option of length 0', { ...NA, more: [7, 0, 0, 0, 0, 0, 0, 0] }, 'nd-bad-option'],
    ['6.1.2: a router that speaks from no link-local address', { ...RA, source: 'fd00::2' }, 'nd-bad-format'],
    ['6.1.2: a router’s advertisement of 15 bytes', { ...RA, cut: 15 }, 'nd-truncated'],
    ['8.1: a redirect from no link-local address', { ...REDIRECT, source: 'fd00::2' }, 'nd-bad-format'],
    [
      '8.1: a redirect to what is neither a router nor the destination',
      { ...REDIRECT, target: 'fd00::3' },
      'nd-bad-format',
    ],
  ];
  for (const [what, spec, reason] of wrong) {
    it(what, () => {
      const wire = ethernetWire();
      if (spec.type === 'na') wire.down(ipPacket('fd00::1', 'fd00::2', 1));
      wire.said();
      wire.arrives(ndFrame(spec));
      expect([...wire.link.statistics.dropped]).to.deep.equal([[reason, 1]]);
      expect([wire.said(), wire.neighbours().filter((line) => !line.endsWith('INCOMPLETE'))]).to.deep.equal([[], []]);
    });
  }

  it('4.6.1: options that nobody knows, and addresses of the wrong length or of a group, are passed over', () => {
    const wire = ethernetWire();
    const { option: _, ...bare } = NS;
    wire.arrives(ndFrame({ ...NS, more: [200, 2, ...new Array<number>(14).fill(7)] }));
    expect(wire.neighbours()).to.deep.equal([`fd00::2 ${PEER} STALE`]);
    wire.arrives(ndFrame({ ...bare, source: 'fd00::3', more: [1, 2, ...new Array<number>(14).fill(2)] }));
    wire.arrives(ndFrame({ ...NS, source: 'fd00::4', option: [1, '33:33:00:00:00:01'] }));
    expect(wire.neighbours().filter((line) => !line.endsWith('INCOMPLETE'))).to.deep.equal([`fd00::2 ${PEER} STALE`]);
  });

  it('8.1: a redirect says that its destination is a neighbour, or names a router', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame(REDIRECT), ndFrame({ ...REDIRECT, target: 'fd00::3', about: 'fd00::3' }));
    expect(wire.link.statistics.redirects).to.equal(2);
    wire.arrives(ndFrame({ ...REDIRECT, about: 'ff02::1' }));
    expect([...wire.link.statistics.dropped]).to.deep.equal([['nd-bad-format', 1]]);
  });

  it('7.1: messages behind a hop-by-hop header are read, in a fragment they are not (RFC 6980)', () => {
    const wire = ethernetWire();
    const plain = ndFrame(NS);
    const behind = new Uint8Array(plain.length + 8);
    behind.set(plain.subarray(0, 54));
    behind.set([58, 0, 1, 4, 0, 0, 0, 0], 54);
    behind.set(plain.subarray(54), 62);
    behind[19] = (plain[19] as number) + 8;
    const fragment = behind.slice();
    behind[20] = 0;
    wire.arrives(behind);
    expect(wire.said()).to.deep.equal(['us>peer na fd00::1 fd00::1>fd00::2 SO us']);
    fragment[20] = 44;
    wire.arrives(fragment);
    expect([wire.said(), wire.heard().length]).to.deep.equal([[], 1]);
  });

  it('the echo of our own solicitation is nobody else', () => {
    const wire = ethernetWire();
    wire.arrives(ndFrame({ ...NS, source: 'fd00::1', from: US }), ndFrame({ ...NS, source: 'fd00::1' }));
    expect([wire.said(), wire.neighbours()]).to.deep.equal([[], []]);
  });
});
