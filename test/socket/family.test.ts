/** Sockets of both families beside each other: RFC 3493, and what Linux makes of it. What is expected here the kernel is held against, too. */
import { expect } from 'chai';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { bench, prefix, TapLink } from '../stack/tap.ts';
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

/** Where we differ: ::1 never leaves the host (RFC 4291 2.5.3), and an address of the other family is refused before its way is looked for. */
const DIFFERENT: Readonly<Record<string, string>> = {
  '::1 2001:db8::9': 'ENETUNREACH',
  '::1 fe80::9%2': 'ENETUNREACH',
  '0.0.0.0 fe80::9%1': 'EAFNOSUPPORT',
  '127.0.0.1 fe80::9%1': 'EAFNOSUPPORT',
  '10.9.0.2 fe80::9%1': 'EAFNOSUPPORT',
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

describeWithTun('sockets of both families on the kernel', () => {
  const kernel = inNamespace(scenes);

  it('bind, connect and have options as it is written down', async () => {
    expect(await kernel.facts()).to.deep.equal(LINUX);
  });

  it('are on one port together as ours', async () => {
    expect(await kernel.conflicts()).to.deep.equal(EXPECTED);
  });
});
