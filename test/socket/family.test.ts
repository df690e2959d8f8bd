/** Sockets of both families beside each other: RFC 3493, and what Linux makes of it. What is expected here the kernel is held against, too. */
import { expect } from 'chai';
import { SOCK_STREAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { bench } from '../stack/tap.ts';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './family-scenes.ts';
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

describeWithTun('sockets of both families on the kernel', () => {
  const kernel = inNamespace(scenes);

  it('are on one port together as ours', async () => {
    expect(await kernel.conflicts()).to.deep.equal(EXPECTED);
  });
});
