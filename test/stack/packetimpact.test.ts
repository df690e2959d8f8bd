/**
 * What gVisor's packetimpact asks of IP, ICMP and UDP, written anew from what its tests are called; each is named by the clause that it stands on. What it asks of
 * fragments (ipv4_fragment_reassembly, ipv6_fragment_reassembly, ipv6_fragment_icmp_error) is in test/rfc/{815,5722,1122,8200}/, what it asks of extension headers
 * (ipv6_unknown_options_action, icmpv6_param_problem) in test/rfc/8200/extension-headers.test.ts, what it asks of TCP in test/packetdrill/packetimpact/.
 */
import { expect } from 'chai';
import {
  AF_INET,
  AF_INET6,
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DONT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_BROADCAST,
  SO_ERROR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { EACCES, EAGAIN, ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ENETUNREACH } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { Interface } from '../../src/stack/interface.ts';
import { IPV4_ANY, IpAddress } from '../../src/wire/address.ts';
import { checksum, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';
import {
  buildPacket,
  FragmentBench,
  HOSTS,
  pseudoSum6,
  putTogether,
  readIp,
  type SeenIp,
} from '../support/wire-fragment.ts';

const UDP = 17;
const PORT = 7;
const THEIRS = 4000;

const at = (text: string, port: number) => ({ address: IpAddress.parse(text) as IpAddress, port });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** A datagram to the DUT's port, unless something else is said. */
function datagram(
  family: 4 | 6,
  payload: Uint8Array,
  ends: { source?: string; destination?: string; port?: number } = {},
): Uint8Array {
  const { source = HOSTS[family].peer, destination = HOSTS[family].dut, port = PORT } = ends;
  const bytes = new Uint8Array(8 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, THEIRS);
  view.setUint16(2, port);
  view.setUint16(4, bytes.length);
  bytes.set(payload, 8);
  const words = [source, destination].map((one) => (IpAddress.parse(one) as IpAddress).w3);
  const pseudo =
    family === 4
      ? pseudoHeaderSum4(words[0] as number, words[1] as number, UDP) + bytes.length
      : pseudoSum6(source, destination, UDP, bytes.length);
  view.setUint16(6, checksum(sum(view, 0, bytes.length) + pseudo) || 0xffff);
  return buildPacket(family, bytes, { source, destination, protocol: UDP, plain: true });
}

/** An ICMP error from the peer about that packet of the DUT's. */
function errorAbout(family: 4 | 6, packet: Uint8Array, type: number, code: number): Uint8Array {
  const message = new Uint8Array(8 + packet.length);
  message.set(packet, 8);
  const view = new DataView(message.buffer);
  view.setUint16(0, (type << 8) | code);
  const pseudo = family === 4 ? 0 : pseudoSum6(HOSTS[6].peer, HOSTS[6].dut, 58, message.length);
  view.setUint16(2, checksum(sum(view, 0, message.length) + pseudo));
  return buildPacket(family, message, { plain: true });
}

for (const family of [4, 6] as const) {
  const any = family === 4 ? '0.0.0.0' : '::';
  const domain = family === 4 ? AF_INET : AF_INET6;
  const { dut, peer } = HOSTS[family];

  describe(`packetimpact, IPv${family}`, () => {
    let t: FragmentBench;
    let socket: DatagramSocket;

    beforeEach(() => {
      t = new FragmentBench(family, { mtu: 1500 });
      socket = createSocket(t.stack, domain, SOCK_DGRAM, 0) as DatagramSocket;
    });
    afterEach(() => {
      socket.close();
      t.close();
    });

    const received = () => {
      const into = new Uint8Array(70_000);
      const message = socket.recvfrom(into);
      return typeof message === 'number' ? message : text(into.subarray(0, message.length));
    };

    it('RFC 1122 4.1.3.5: udp_any_addr_recv_unicast: who is bound to any address hears what is sent to each', () => {
      socket.bind(at(any, PORT));
      t.send(datagram(family, Buffer.from('hello')));
      expect(received()).to.equal('hello');
    });

    for (const size of [0, 1, 512, 1472, 9000, family === 4 ? 65_507 : 65_527]) {
      it(`RFC 768: udp_send_recv_dgram: ${size} bytes come, and go`, () => {
        const payload = Uint8Array.from({ length: size }, (_, i) => 33 + (i % 90));
        socket.bind(at(any, PORT));
        const [packet, identification] = [datagram(family, payload), 5];
        const bytes = packet.subarray(family === 4 ? 20 : 40);
        const half = Math.ceil(bytes.length / 16) * 8;
        // The largest of IPv6 would not fit into a packet of the bench's own; so that it is the same for all, they come in two.
        t.send(
          ...[bytes.subarray(0, half), bytes.subarray(half)].flatMap((piece, i) =>
            piece.length === 0
              ? []
              : [
                  buildPacket(family, piece, {
                    protocol: UDP,
                    identification,
                    offset: i * half,
                    more: i === 0 && half < bytes.length,
                  }),
                ],
          ),
        );
        expect(received()).to.equal(text(payload));
        expect(socket.sendto(payload, 0, at(peer, THEIRS))).to.equal(size);
        t.stack.network.flush();
        expect(text(putTogether(t.link.drain()).subarray(8))).to.equal(text(payload));
      });
    }

    it('RFC 768: generic_dgram_socket_send_recv: one byte more than IP can say: EMSGSIZE, and nothing goes', () => {
      expect(socket.sendto(new Uint8Array(family === 4 ? 65_508 : 65_528), 0, at(peer, THEIRS))).to.equal(-EMSGSIZE);
      t.stack.network.flush();
      t.expectNothing();
    });

    for (const source of family === 4 ? ['224.0.0.1', '239.1.2.3', '255.255.255.255'] : ['ff02::1', 'ff0e::9']) {
      it(`RFC 1122 4.1.3.6: udp_discard_mcast_source_addr: from ${source}: discarded, in silence`, () => {
        socket.bind(at(any, PORT));
        t.send(datagram(family, Buffer.from('x'), { source }), datagram(family, Buffer.from('x'), { source, port: 9 }));
        expect(received()).to.equal(-EAGAIN);
        t.expectNothing();
      });
    }

    it('RFC 1122 4.1.3.3: udp_icmp_error_propagation: port unreachable reaches a connected socket, with the next call, once', () => {
      for (const call of ['send', 'recv', 'SO_ERROR'] as const) {
        const connected = createSocket(t.stack, domain, SOCK_DGRAM, 0) as DatagramSocket;
        connected.connect(at(peer, THEIRS));
        connected.send(Buffer.from('x'));
        t.stack.network.flush();
        const [sent] = t.link.drain();
        t.send(errorAbout(family, sent as Uint8Array, family === 4 ? 3 : 1, family === 4 ? 3 : 4));
        if (call === 'send') expect(connected.send(Buffer.from('y'))).to.equal(-ECONNREFUSED);
        else if (call === 'recv') expect(connected.recv(new Uint8Array(9))).to.equal(-ECONNREFUSED);
        else expect(connected.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(ECONNREFUSED);
        expect(connected.recv(new Uint8Array(9))).to.equal(-EAGAIN);
        expect(connected.send(Buffer.from('y'))).to.equal(1);
        connected.close();
        t.stack.network.flush();
        t.link.drain();
      }
    });

    it('RFC 1122 4.1.3.3: udp_icmp_error_propagation: nothing reaches one that is not connected (Linux), nor is time exceeded told', () => {
      socket.bind(at(any, PORT));
      const connected = createSocket(t.stack, domain, SOCK_DGRAM, 0) as DatagramSocket;
      connected.connect(at(peer, THEIRS));
      socket.sendto(Buffer.from('x'), 0, at(peer, THEIRS));
      connected.send(Buffer.from('x'));
      t.stack.network.flush();
      const [first, second] = t.link.drain() as [Uint8Array, Uint8Array];
      t.send(errorAbout(family, first, family === 4 ? 3 : 1, family === 4 ? 3 : 4));
      t.send(errorAbout(family, second, family === 4 ? 11 : 3, 0));
      for (const one of [socket, connected]) {
        expect(one.recv(new Uint8Array(9))).to.equal(-EAGAIN);
        expect(one.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(0);
      }
      connected.close();
    });

    const unreachables =
      family === 4
        ? [[3, 0, ENETUNREACH] as const, [3, 1, EHOSTUNREACH] as const]
        : [[1, 0, ENETUNREACH] as const, [1, 3, EHOSTUNREACH] as const];
    for (const [type, code, errno] of unreachables) {
      it(`RFC 1122 4.2.3.9: tcp_network_unreachable: type ${type} code ${code} about its SYN is what connect is told`, () => {
        const stream = createSocket(t.stack, domain, SOCK_STREAM, 0) as Socket;
        stream.connect(at(peer, 80));
        t.stack.network.flush();
        return t.clock.advance(1).then(async () => {
          const [syn] = t.link.drain();
          t.send(errorAbout(family, syn as Uint8Array, type, code));
          await t.clock.advance(0);
          expect(stream.getsockopt(SOL_SOCKET, SO_ERROR)).to.equal(errno);
          stream.close();
        });
      });
    }

    it('RFC 1122 4.1.3.1: a port that nobody has: port unreachable, with what was sent', () => {
      const packet = datagram(family, Buffer.from('anybody?'), { port: 9 });
      t.send(packet);
      const quoted = t.expectError(family === 4 ? 3 : 1, family === 4 ? 3 : 4);
      expect(Buffer.from(quoted).equals(packet)).to.equal(true);
    });

    it('RFC 1122 3.2.2: of what went to many nobody is told that nobody was there: udp_recv_mcast_bcast, without a socket', () => {
      for (const destination of family === 4 ? ['10.0.0.255', '255.255.255.255', '224.0.0.1'] : ['ff02::1']) {
        t.send(datagram(family, Buffer.from('x'), { destination, port: 9 }));
      }
      t.expectNothing();
    });

    if (family === 6) {
      it('RFC 4291 2.8: udp_recv_mcast_bcast: what goes to all nodes is heard', () => {
        socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
        socket.bind(at('::', PORT));
        t.send(datagram(6, Buffer.from('all'), { destination: 'ff02::1' }));
        expect(received()).to.equal('all');
      });
      return;
    }

    for (const destination of ['10.0.0.255', '255.255.255.255']) {
      for (const bound of ['0.0.0.0', destination]) {
        it(`RFC 1122 3.3.6: udp_recv_mcast_bcast: to ${destination}, bound to ${bound}: heard`, () => {
          expect(socket.bind(at(bound, PORT))).to.equal(0);
          t.send(datagram(4, Buffer.from('all'), { destination }));
          expect(received()).to.equal('all');
        });
      }
    }

    it('RFC 1122 3.2.1.3: who is bound to one address does not hear what goes to all', () => {
      socket.bind(at(dut, PORT));
      t.send(datagram(4, Buffer.from('all'), { destination: '10.0.0.255' }));
      expect(received()).to.equal(-EAGAIN);
    });

    it('RFC 1122 3.3.6: generic_dgram_socket_send_recv: to all of a network only with SO_BROADCAST', () => {
      t.stack.addRoute({ destination: IPV4_ANY, bits: 0, interface: t.stack.interfaces[0] as Interface });
      for (const destination of ['10.0.0.255', '255.255.255.255']) {
        socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 0);
        expect(socket.sendto(Buffer.from('x'), 0, at(destination, THEIRS))).to.equal(-EACCES);
        socket.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
        expect(socket.sendto(Buffer.from('x'), 0, at(destination, THEIRS))).to.equal(1);
        t.stack.network.flush();
        expect(t.link.drain()).to.have.length(1);
      }
    });

    it('RFC 6864 4.3: ipv4_id_uniqueness: what goes again without DF has another identification', async () => {
      const stream = createSocket(t.stack, AF_INET, SOCK_STREAM, 0) as Socket;
      stream.setsockopt(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
      stream.connect(at(peer, 80));
      await t.clock.advance(20_000);
      const syns = t.link.drain().map(readIp);
      expect(syns.length).to.be.greaterThan(3);
      expect(syns.every(({ dontFragment }: SeenIp) => !dontFragment)).to.equal(true);
      expect(new Set(syns.map(({ identification }: SeenIp) => identification)).size).to.equal(syns.length);
      stream.close();
    });
  });
}
