/** ICMP errors that quote what the host never sent: nobody is told, and nothing is learned. RFC 5927 4; UDP has no numbers that would have to be guessed. */
import { expect } from 'chai';
import { AF_INET, AF_INET6, SOCK_DGRAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import type { Stack } from '../../src/stack/stack.ts';
import type { IpAddress } from '../../src/wire/address.ts';
import { buildUdp } from '../support/wire-datagram.ts';
import { buildIcmp } from '../support/wire-segment.ts';
import { buildIcmp6, Wire6 } from '../support/wire6.ts';
import { address, bench, prefix, TapLink } from './tap.ts';

const PEER4 = address('10.0.0.9');

/** A socket that is bound to port 53 and connected to port 40,000. */
function connected(stack: Stack, domain: number, local: IpAddress, remote: IpAddress): DatagramSocket {
  const socket = createSocket(stack, domain, SOCK_DGRAM, 0) as DatagramSocket;
  expect(socket.bind({ address: local, port: 53 })).to.equal(0);
  expect(socket.connect({ address: remote, port: 40_000 })).to.equal(0);
  return socket;
}

/** The datagram that it would have sent. */
function datagram(source: IpAddress, destination: IpAddress): Uint8Array {
  return buildUdp({ source, destination, sourcePort: 53, destinationPort: 40_000, data: new Uint8Array(8) });
}

/** The same with the source and destination of an IPv6 packet changed. */
function asIpv6(words: (view: DataView) => void): Uint8Array {
  const bytes = datagram(address('fe80::1'), address('fe80::9'));
  words(new DataView(bytes.buffer));
  return bytes;
}

describe('packets that errors quote', () => {
  it('ICMPv6 says nothing of IPv4: ::ffff:0:0/96 is not on the wire', () => {
    const t = new Wire6();
    const own = address('10.0.0.2');
    const socket = connected(t.stack, AF_INET, own, PEER4);
    const quoted = asIpv6((view) => {
      for (const [at, { w3 }] of [
        [8, own],
        [24, PEER4],
      ] as const)
        for (const [i, word] of [0, 0, 0xffff, w3].entries()) view.setInt32(at + 4 * i, word);
    });
    t.inject(buildIcmp6(2, 0, 1280, quoted));
    t.inject(buildIcmp6(1, 4, 0, quoted));
    expect([socket.takeError(), t.stack.network.mtus.size]).to.deep.equal([0, 0]);
    t.inject(buildIcmp(PEER4.w3, own.w3, 3, 3, 0, datagram(own, PEER4)));
    expect(socket.takeError()).to.equal(111);
  });

  it('RFC 4291 2.5.6: who is on one link cannot name another where the wire has zeros', () => {
    const { stack } = bench();
    const [first, second] = [new TapLink('first'), new TapLink('second')];
    const [here, there] = [first, second].map((link) =>
      stack.addInterface(link, { addresses: [prefix('fe80::1/64')] }),
    );
    const zone = there?.index as number;
    // The number of the first is a part of the second's.
    expect((here?.index as number) | zone).to.equal(zone);
    const socket = connected(stack, AF_INET6, address('fe80::1').withZone(zone), address('fe80::9').withZone(zone));
    const quoted = asIpv6((view) => {
      view.setUint16(10, zone);
      view.setUint16(26, zone);
    });
    const ends = { source: address('fe80::9'), destination: address('fe80::1') };
    first.deliver(buildIcmp6(1, 4, 0, quoted, ends));
    expect(socket.takeError()).to.equal(0);
    first.deliver(buildIcmp6(1, 4, 0, datagram(address('fe80::1'), address('fe80::9')), ends));
    expect(socket.takeError()).to.equal(0);
    second.deliver(buildIcmp6(1, 4, 0, datagram(address('fe80::1'), address('fe80::9')), ends));
    expect(socket.takeError()).to.equal(111);
  });

  it('an MTU is not learned from what no address of ours has sent, whatever socket has its port', () => {
    const t = new Wire6();
    const own = address('10.0.0.2');
    const socket = createSocket(t.stack, AF_INET, SOCK_DGRAM, 0) as DatagramSocket;
    expect(socket.bind({ address: socket.any, port: 53 })).to.equal(0);
    const far = address('10.0.0.77');
    t.inject(buildIcmp(PEER4.w3, own.w3, 3, 4, 1000, datagram(address('10.0.0.3'), far)));
    expect(t.stack.network.mtus.size).to.equal(0);
    t.inject(buildIcmp(PEER4.w3, own.w3, 3, 4, 1000, datagram(own, far)));
    expect(t.stack.network.mtus.of(far)?.mtu).to.equal(1000);
    t.stack.close();
  });
});
