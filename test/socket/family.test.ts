/** Sockets of both families beside each other: RFC 3493, and what Linux makes of it. What is expected here the kernel is held against, too. */
import { expect } from 'chai';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_ADDRFORM,
  IPV6_V6ONLY,
  POLLHUP,
  POLLOUT,
  SO_DOMAIN,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_MD5SIG_EXT,
} from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, EINPROGRESS, EINVAL } from '../../src/socket/errno.ts';
import type { Socket, SocketAddress } from '../../src/socket/socket.ts';
import { IPV4_LOOPBACK, IPV6_ANY, IPV6_LOOPBACK } from '../../src/wire/address.ts';
import { address, bench, prefix, TapLink } from '../stack/tap.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { bindFacts, boundFacts, connectFacts, optionFacts } from './family-facts.ts';
import * as scenes from './family-scenes.ts';
import { LINUX } from './linux-families.ts';
import { MANNERS, playConflicts } from './port-conflicts.ts';

/** Without options: columns are the second socket's ways, in the order of the rows. */
const REFUSED = [
  'bbbb..bb', // AF_INET 0.0.0.0
  'bb.b..bb', // 127.0.0.1
  'b.bb..b.', // 127.0.0.2
  'bbbbbbbb', // AF_INET6 ::
  '...bbb..', // :: with IPV6_V6ONLY
  '...bbb..', // ::1
  'bbbb..bb', // ::ffff:0.0.0.0
  'bb.b..bb', // ::ffff:127.0.0.1
];
const LISTEN_REFUSED = REFUSED.map((row) => row.replaceAll('b', 'l'));
const SHARED = REFUSED.map((row) => row.replaceAll('b', '.'));
const EXPECTED: Readonly<Record<keyof typeof MANNERS, readonly string[]>> = {
  'no option': REFUSED,
  'SO_REUSEADDR on both, the first bound': LISTEN_REFUSED,
  'SO_REUSEADDR on both, the first listening': REFUSED,
  'SO_REUSEADDR on the second': REFUSED,
  'SO_REUSEPORT on both, the first listening': SHARED,
  'SO_REUSEPORT on the first': REFUSED,
  'SO_REUSEADDR and SO_REUSEPORT, one each': REFUSED,
};

describe('sockets of both families on one port', () => {
  for (const [name, manner] of Object.entries(MANNERS)) {
    it(`RFC 3493 5.3: which may be there together, with ${name}`, () => {
      const { stack } = bench();
      const open = (domain: number) => createSocket(stack, domain, SOCK_STREAM, 0) as Socket;
      expect(playConflicts(open, manner)).to.deep.equal(EXPECTED[name]);
      expect(stack.ports.size).to.equal(0);
    });
  }
});

/** Where we differ: ::1 never leaves the host. RFC 4291 2.5.3. */
const DIFFERENT: Readonly<Record<string, string>> = {
  '::1 2001:db8::9': 'ENETUNREACH',
  '::1 fe80::9%2': 'ENETUNREACH',
};

describe('sockets of both families', () => {
  const open = (domain: number) => {
    const { stack } = bench();
    const addresses = [prefix('10.9.0.2/24'), prefix('2001:db8::2/64'), prefix('fe80::2/64')];
    stack.addInterface(new TapLink('tun0'), { addresses });
    return createSocket(stack, domain, SOCK_STREAM, 0) as Socket;
  };

  for (const [kind, facts] of Object.entries(LINUX.bind)) {
    it(`RFC 3493 3.3, 5.3: ${kind} may be bound where Linux lets it`, () => {
      expect(bindFacts(open)[kind]).to.deep.equal(facts);
    });
  }

  for (const [kind, facts] of Object.entries(LINUX.connect)) {
    it(`RFC 3493 3.7, 5.3: ${kind} connects where Linux does`, () => {
      expect(connectFacts(open)[kind]).to.deep.equal(facts);
    });
  }

  for (const [place, facts] of Object.entries(LINUX.bound)) {
    it(`bound to ${place}, AF_INET6 connects where Linux does`, () => {
      const expected = Object.entries(facts).map(([target, fact]) => [target, DIFFERENT[`${place} ${target}`] ?? fact]);
      expect(boundFacts(open)[place]).to.deep.equal(Object.fromEntries(expected));
    });
  }

  for (const [option, facts] of Object.entries(LINUX.options)) {
    it(`${option}: values as Linux takes and gives them`, () => {
      expect(optionFacts(open)[option]).to.equal(facts);
    });
  }
});

describe('sockets of AF_INET6', () => {
  it('are on :: before they are anywhere; the host says whether IPv4 is theirs', () => {
    for (const bindv6only of [false, true]) {
      const { stack } = bench({ sysctl: { bindv6only } });
      const socket = createSocket(stack, AF_INET6, SOCK_STREAM, 0) as Socket;
      expect(socket.getsockname()).to.deep.equal({ address: IPV6_ANY, port: 0 });
      expect(socket.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY)).to.equal(Number(bindv6only));
      expect(socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0)).to.equal(0);
      expect(socket.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY)).to.equal(0);
    }
  });

  it('a connection takes its own address of all that its socket was bound to', async () => {
    const { stack, clock } = bench();
    const open = (domain: number) => createSocket(stack, domain, SOCK_STREAM, 0) as Socket;
    const listener = open(AF_INET6);
    listener.listen(5);
    const { port } = listener.getsockname() as SocketAddress;
    const [both, four] = [open(AF_INET6), open(AF_INET)];
    const place = { address: IPV4_LOOPBACK, port: 5000 };
    expect(both.bind({ address: IPV6_ANY, port: 5000 })).to.equal(0);
    expect(four.bind(place)).to.equal(-EADDRINUSE);
    both.connect({ address: IPV6_LOOPBACK, port });
    await clock.advance(1);
    expect(four.bind(place)).to.equal(0);
    four.close();
    both.disconnect();
    expect(open(AF_INET).bind(place)).to.equal(-EADDRINUSE);
  });

  it('who was told that a connect failed is where nothing was connected', async () => {
    const { stack, clock } = bench();
    const socket = createSocket(stack, AF_INET6, SOCK_STREAM, 0) as Socket;
    const nobody = { address: IPV6_LOOPBACK, port: 9 };
    expect(socket.connect(nobody)).to.equal(-EINPROGRESS);
    await clock.advance(1);
    expect(socket.connect(nobody)).to.equal(-ECONNREFUSED);
    expect(socket.getsockname()).to.deep.include({ address: IPV6_ANY });
    expect(socket.poll()).to.equal(POLLOUT | POLLHUP);
    expect(socket.connect(nobody)).to.equal(-EINPROGRESS);
  });

  it('IPV6_ADDRFORM is for connections of IPv4', async () => {
    const { stack, clock } = bench();
    const listener = createSocket(stack, AF_INET6, SOCK_STREAM, 0) as Socket;
    listener.listen(5);
    const { port } = listener.getsockname() as SocketAddress;
    for (const [address, result] of [
      [IPV6_LOOPBACK, -EADDRNOTAVAIL],
      [IPV4_LOOPBACK, 0],
    ] as const) {
      const socket = createSocket(stack, AF_INET6, SOCK_STREAM, 0) as Socket;
      socket.connect({ address, port });
      await clock.advance(1);
      const accepted = listener.accept() as Socket;
      expect(accepted.setsockopt(IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET)).to.equal(result);
      expect(accepted.getsockopt(SOL_SOCKET, SO_DOMAIN)).to.equal(result === 0 ? AF_INET : AF_INET6);
    }
  });

  it('have keys for peers of both families, AF_INET for those of IPv4', () => {
    for (const [domain, text, prefixlen, result] of [
      [AF_INET, '10.0.0.1', 32, 0],
      [AF_INET, '2001:db8::1', 64, -EINVAL],
      [AF_INET6, '10.0.0.1', 32, 0],
      [AF_INET6, '10.0.0.1', 33, -EINVAL],
      [AF_INET6, '2001:db8::1', 128, 0],
      [AF_INET6, '2001:db8::1', 129, -EINVAL],
    ] as const) {
      const { stack } = bench({ hasher: nodeHasher });
      const socket = createSocket(stack, domain, SOCK_STREAM, 0) as Socket;
      const value = { address: address(text), prefixlen, key: new Uint8Array(4) };
      expect(socket.setsockopt(IPPROTO_TCP, TCP_MD5SIG_EXT, value), `${domain} ${text}/${prefixlen}`).to.equal(result);
    }
  });
});

describeWithTun('sockets of both families on the kernel', () => {
  const kernel = inNamespace(scenes);

  it('bind, connect and have options as it is written down', async () => {
    expect(await kernel.facts()).to.deep.equal(LINUX);
  });

  it('are on one port together as ours', async () => {
    expect(await kernel.conflicts()).to.deep.equal(EXPECTED);
  });
});
